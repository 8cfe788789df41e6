using System.Globalization;
using NextGpt.Media;
using NextGpt.Model.Language;

namespace NextGpt.Model.Packages;

/// <summary>What a manifest must fulfil; each broken rule is a sentence.</summary>
internal static class PackageRules
{
    private const int MaxTokens = 4_096;

    /// <summary>Everything that is wrong with a manifest, looked at by itself.</summary>
    public static IEnumerable<string> Problems(PackageManifest manifest)
    {
        if (manifest.Format != PackageManifest.CurrentFormat)
        {
            return [$"format is {manifest.Format}; this program reads {PackageManifest.CurrentFormat}. Use a program of the package's age."];
        }

        return [
            .. Identity(manifest), .. Language(manifest.Language), .. Tokens(manifest), .. Input(manifest),
            .. manifest.Outputs.SelectMany(output => Output(output, manifest.Tokens)), .. Once(manifest.Outputs),
            .. manifest.Licences.SelectMany(licence => licence.Paths).SelectMany(path => Place("licences", path)),
            .. Files(manifest.Files),
        ];
    }

    /// <summary>Every path that a manifest's parts name, with the name of the entry.</summary>
    public static IEnumerable<(string Entry, string Path)> Parts(PackageManifest manifest)
    {
        (string, string?)[] parts =
        [
            ("language.path", manifest.Language.Path), ("language.adapter", manifest.Language.Adapter),
            ("tokens.rows", manifest.Tokens?.Rows), ("input.encoder", manifest.Input?.Encoder),
            ("input.projection", manifest.Input?.Projection),
            .. manifest.Outputs.SelectMany(output => new (string, string?)[]
            {
                ($"{Name(output.Kind)} decoder", output.Decoder), ($"{Name(output.Kind)} projection", output.Projection),
                ($"{Name(output.Kind)} enlarger", output.Enlarger),
            }),
        ];
        return parts.Where(part => part.Item2 is not null).Select(part => (part.Item1, part.Item2!));
    }

    /// <summary>The kind as the manifest writes it.</summary>
    public static string Name(MediaKind kind) => kind.ToString().ToLowerInvariant();

    private static IEnumerable<string> Identity(PackageManifest manifest)
    {
        if (manifest.Id.Length is 0 or > 64 || !manifest.Id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            yield return $"id is '{manifest.Id}'; 1 to 64 letters, digits, dots, dashes and underscores were expected.";
        }
    }

    private static IEnumerable<string> Language(LanguagePart language)
    {
        foreach (var problem in Place("language.path", language.Path).Concat(Place("language.adapter", language.Adapter)))
        {
            yield return problem;
        }

        if (language.Template is { } template && PromptTemplates.All.All(known => known.Name != template))
        {
            yield return $"language.template is {template}; there are {string.Join(", ", PromptTemplates.All.Select(known => known.Name))}.";
        }

        if (Outside(language.ContextTokens, 16, 1 << 20) is { } range)
        {
            yield return $"language.contextTokens {range}.";
        }

        if (language.Sampling is { } sampling && SamplingProblem(sampling) is { } refused)
        {
            yield return $"language.sampling: {refused}";
        }
    }

    private static IEnumerable<string> Tokens(PackageManifest manifest)
    {
        if (manifest.Tokens is not { } tokens)
        {
            if (manifest.Input is not null || manifest.Outputs.Count > 0)
            {
                yield return "tokens is missing; a package with media must say by which tokens they are spoken of.";
            }

            yield break;
        }

        foreach (var problem in Place("tokens.rows", tokens.Rows))
        {
            yield return problem;
        }

        if (tokens.Added.Count > MaxTokens || tokens.Added.Any(token => token.Length is 0 or > 64 || token.Any(char.IsControl)))
        {
            yield return $"tokens.added has {tokens.Added.Count} tokens; at most {MaxTokens} of 1 to 64 characters were expected.";
        }

        if (tokens.Added.GroupBy(token => token, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            yield return $"tokens.added has {twice.Key} {twice.Count()} times; each token stands there once.";
        }

        var known = tokens.Added.ToHashSet(StringComparer.Ordinal);
        foreach (var (entry, token) in new[] { ("tokens.mediaStart", tokens.MediaStart), ("tokens.mediaEnd", tokens.MediaEnd) })
        {
            if (token is not null && !known.Contains(token))
            {
                yield return $"{entry} is {token}, which is not in tokens.added.";
            }
        }

        if (tokens.Separator is { } separator && (separator.Length == 0 || known.Contains(separator)))
        {
            yield return $"tokens.separator is '{separator}'; a token of the language model was expected, not an added one.";
        }

        foreach (var (kind, signal) in tokens.Signals)
        {
            if (signal.Count == 0 || signal.FirstOrDefault(token => !known.Contains(token)) is not null)
            {
                yield return $"The signal of {Name(kind)} has {signal.Count} tokens; one or more of tokens.added were expected.";
            }
        }

        var spoken = tokens.Signals.Values.SelectMany(signal => signal).Concat(new[] { tokens.MediaStart, tokens.MediaEnd }.OfType<string>());
        if (spoken.GroupBy(token => token, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } shared)
        {
            yield return $"The token {shared.Key} has {shared.Count()} meanings; every token of a signal belongs to one place of one kind.";
        }
    }

    private static IEnumerable<string> Input(PackageManifest manifest)
    {
        if (manifest.Input is not { } input)
        {
            yield break;
        }

        foreach (var problem in Place("input.encoder", input.Encoder).Concat(Place("input.projection", input.Projection)))
        {
            yield return problem;
        }

        if (input.Kinds.Count == 0 || input.Kinds.Distinct().Count() != input.Kinds.Count)
        {
            yield return "input.kinds must name one kind or more, each once.";
        }

        if (Outside(input.MediaTokens, 1, 1_024) is { } tokens)
        {
            yield return $"input.mediaTokens {tokens}.";
        }

        if (Outside(input.Heads, 1, 256) is { } heads)
        {
            yield return $"input.heads {heads}.";
        }

        if (input.Features == MediaFeatures.Pooled && (input.MediaTokens != 1 || input.Kind == InputProjectionKind.Group))
        {
            yield return $"input.features is pooled, which gives one position and cannot be grouped; kind is {Text(input.Kind)} and "
                + $"mediaTokens {input.MediaTokens}.";
        }
    }

    private static IEnumerable<string> Output(OutputPart output, TokenPart? tokens)
    {
        var name = Name(output.Kind);
        foreach (var problem in Place($"{name} decoder", output.Decoder).Concat(Place($"{name} projection", output.Projection))
            .Concat(Place($"{name} enlarger", output.Enlarger)))
        {
            yield return problem;
        }

        if (output.Enlarger is not null && output.Kind == MediaKind.Audio)
        {
            yield return "There is an enlarger for audio; only pictures and clips are enlarged.";
        }

        if (tokens is not null && !tokens.Signals.ContainsKey(output.Kind))
        {
            yield return $"There is an output for {name} but no signal in tokens.signals.";
        }

        (string Entry, double? Value, double Least, double Most)[] numbers =
        [
            ("heads", output.Heads, 1, 256), ("maxPerReply", output.MaxPerReply, 1, 100), ("steps", output.Steps, 1, 1_000),
            ("guidanceScale", output.GuidanceScale, 1, 30), ("width", output.Width, 8, 4_096), ("height", output.Height, 8, 4_096),
            ("frames", output.Frames, 1, 256), ("framesPerSecond", output.FramesPerSecond, 0.1, 120), ("seconds", output.Seconds, 0.1, 60),
        ];
        foreach (var (entry, value, least, most) in numbers)
        {
            if (Outside(value, least, most) is { } range)
            {
                yield return $"{entry} of {name} {range}.";
            }
        }
    }

    private static IEnumerable<string> Once(IReadOnlyList<OutputPart> outputs) => outputs
        .GroupBy(output => output.Kind).Where(same => same.Count() > 1)
        .Select(same => $"There are {same.Count()} outputs for {Name(same.Key)}; one was expected.");

    private static IEnumerable<string> Files(IReadOnlyList<PackageFile> files)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var problem in Place("files", file.Path))
            {
                yield return problem;
            }

            if (!seen.Add(file.Path) || file.Path == ModelPackage.ManifestName)
            {
                yield return $"files has {file.Path} twice, or it is the manifest itself.";
            }

            if (file.SizeBytes < 0 || file.Sha256.Length != 64 || !file.Sha256.All(char.IsAsciiHexDigitLower))
            {
                yield return $"files: {file.Path} needs its size and 64 hexadecimal digits of SHA-256 in lower case.";
            }
        }
    }

    private static IEnumerable<string> Place(string entry, string? path) =>
        path is not null && PackagePath.Problem(path) is { } problem ? [$"{entry}: '{path}' {problem}."] : [];

    private static string? Outside(double? value, double least, double most) => value is { } number && !(number >= least && number <= most)
        ? string.Create(CultureInfo.InvariantCulture, $"is {number}, {least} to {most} was expected")
        : null;

    private static string Text(InputProjectionKind kind) => kind.ToString().ToLowerInvariant();

    private static string? SamplingProblem(SamplingOptions sampling)
    {
        try
        {
            SamplingSettings.Resolve(sampling, new SamplingOptions());
            return null;
        }
        catch (GenerationRefusedException refused)
        {
            return refused.Message;
        }
    }
}
