using System.Globalization;

namespace NextGpt.Tuning;

/// <summary>The arguments of <see cref="TrainVerb"/>: a stage, then <c>--name value</c> or <c>--name</c>.</summary>
internal sealed class TrainArguments
{
    private static readonly string[] Flags = ["resume"];

    private static readonly string[] Names =
    [
        "world", "atlas", "out", "autoencoder", "pictures", "vocoder", "steps", "minutes", "device", "precision", "batch", "rate", "warm-up", "variants", "average",
        "previews", "preview-minutes", "checkpoint-minutes", "journal", "seed", "libtorch",
        "open", "count", "adapter", "model", "rank",
        "encoder", "picture-decoder", "sound-decoder", "clip-decoder", "from", "cache", "open-share", "max-tokens", "caption-weight",
        "projection-width", "projection-layers", "input-width", "id", "language", "figures", "render-steps", "guidance",
        "styles", "patches",
    ];

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private TrainArguments(string stage) => Stage = stage;

    internal string Stage { get; }

    /// <exception cref="TrainArgumentException">An argument is unknown, or its value is missing.</exception>
    internal static TrainArguments Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            throw new TrainArgumentException("Which stage shall be trained?");
        }

        var parsed = new TrainArguments(arguments[0]);
        for (var at = 1; at < arguments.Count; at++)
        {
            var name = arguments[at].StartsWith("--", StringComparison.Ordinal) ? arguments[at][2..] : string.Empty;
            if (Flags.Contains(name))
            {
                parsed._values[name] = string.Empty;
            }
            else if (!Names.Contains(name))
            {
                throw new TrainArgumentException($"'{arguments[at]}' is not known.");
            }
            else if (at + 1 == arguments.Count)
            {
                throw new TrainArgumentException($"--{name} needs a value.");
            }
            else
            {
                parsed._values[name] = arguments[++at];
            }
        }

        return parsed;
    }

    internal bool Has(string name) => _values.ContainsKey(name);

    internal string? Text(string name) => _values.GetValueOrDefault(name);

    internal string Required(string name) => Text(name) ?? throw new TrainArgumentException($"--{name} is missing.");

    internal int? Whole(string name) => Text(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= 0 ? number
        : throw new TrainArgumentException($"--{name} {text} is not a whole number.");

    internal double? Number(string name) => Text(name) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0 ? number
        : throw new TrainArgumentException($"--{name} {text} is not a number.");
}

/// <summary>The arguments make no sense; the message says which and the help follows.</summary>
internal sealed class TrainArgumentException(string message) : Exception(message);
