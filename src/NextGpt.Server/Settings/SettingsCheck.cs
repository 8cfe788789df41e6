using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration.Json;
using NextGpt.Bots.Discord;
using NextGpt.Bots.Teams;
using NextGpt.ChatService;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Host.Plugins;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Server.Web;
using NextGpt.Tuning.Data.World;

namespace NextGpt.Server.Settings;

/// <summary>A setting that is wrong.</summary>
/// <param name="Name">The setting, for example <c>NextGpt:Model:Device</c>.</param>
/// <param name="Sentence">What was wrong, what was expected, what to do.</param>
internal sealed record SettingsProblem(string Name, string Sentence);

/// <summary>Looks at all settings before anything is loaded: unknown names, values of the wrong kind or range (CLI-3).</summary>
internal static class SettingsCheck
{
    /// <summary>Every section and the class it is read into.</summary>
    private static readonly (string Section, Type Options)[] Sections =
    [
        (DataOptions.SectionName, typeof(DataOptions)),
        (ServerOptions.SectionName, typeof(ServerOptions)),
        (WebOptions.SectionName, typeof(WebOptions)),
        (TurnOptions.SectionName, typeof(TurnOptions)),
        (PluginOptions.SectionName, typeof(PluginOptions)),
        (ModelOptions.SectionName, typeof(ModelOptions)),
        (MediaFileOptions.SectionName, typeof(MediaFileOptions)),
        (AttachmentOptions.SectionName, typeof(AttachmentOptions)),
        (ConversationOptions.SectionName, typeof(ConversationOptions)),
        (DiscordOptions.SectionName, typeof(DiscordOptions)),
        (WorldOptions.SectionName, typeof(WorldOptions)),
        (TeamsOptions.SectionName, typeof(TeamsOptions)),
        (WebOptions.SectionName, typeof(WebOptions)),
    ];

    private static readonly string[] RootNames = ["NextGpt", "Logging", "$schema"];

    /// <summary>The names of all settings.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Sections.SelectMany(section => Properties(section.Options).Select(p => $"{section.Section}:{p.Name}"))];

    /// <summary>What is wrong; empty if nothing is.</summary>
    public static IReadOnlyList<SettingsProblem> Run(IConfigurationRoot settings)
    {
        var problems = new List<SettingsProblem>();
        foreach (var name in settings.Providers.OfType<JsonConfigurationProvider>()
            .SelectMany(file => file.GetChildKeys([], null)).Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(name => !RootNames.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            problems.Add(Unknown(name, RootNames));
        }

        CheckNames(settings.GetSection("NextGpt"), problems);
        foreach (var (section, type) in Sections)
        {
            CheckValues(settings.GetSection(section), type, problems);
        }

        return problems;
    }

    private static void CheckNames(IConfigurationSection section, List<SettingsProblem> problems)
    {
        foreach (var child in section.GetChildren())
        {
            if (Names.Contains(child.Path, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            if (Sections.Any(known => string.Equals(known.Section, child.Path, StringComparison.OrdinalIgnoreCase)))
            {
                CheckNames(child, problems);
            }
            else
            {
                problems.Add(Unknown(child.Path, [.. Names, .. Sections.Select(known => known.Section)]));
            }
        }
    }

    private static SettingsProblem Unknown(string name, IEnumerable<string> candidates) => new(
        name,
        NearestName.To(name, candidates) is { } nearest
            ? $"There is no setting {name}; did you mean {nearest}?"
            : $"There is no setting {name}; remove it (`config check` lists all settings with --verbose).");

    private static void CheckValues(IConfigurationSection section, Type type, List<SettingsProblem> problems)
    {
        var readable = true;
        foreach (var property in Properties(type))
        {
            var value = section.GetSection(property.Name);
            var kind = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (string.IsNullOrEmpty(value.Value) || kind == typeof(string) || kind.IsArray)
            {
                continue;
            }

            if (!TypeDescriptor.GetConverter(kind).IsValid(value.Value))
            {
                readable = false;
                problems.Add(new SettingsProblem(
                    value.Path, $"{value.Path} is \"{value.Value}\", it must be {Describe(kind)}."));
            }
        }

        if (!readable || section.Get(type) is not { } options)
        {
            return;
        }

        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
        foreach (var result in results)
        {
            var name = $"{section.Path}:{result.MemberNames.FirstOrDefault()}";
            var message = result.ErrorMessage ?? "The value is not allowed.";
            problems.Add(new SettingsProblem(
                name, message.Contains(name, StringComparison.Ordinal) ? message : $"{name} is \"{settingOf(name)}\": {message}"));
        }

        string? settingOf(string name) => section[name[(section.Path.Length + 1)..]];
    }

    private static string Describe(Type kind) =>
        kind == typeof(bool) ? "true or false"
        : kind == typeof(TimeSpan) ? "a time such as 00:05:00 (hours:minutes:seconds)"
        : kind.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(kind))}"
        : kind == typeof(double) || kind == typeof(float) || kind == typeof(decimal) ? "a number"
        : "a whole number";

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null);
}
