using System.Globalization;
using NextGpt.Media;
using NextGpt.Model.Decoders;

namespace NextGpt.Model;

/// <summary>What a request says of media, checked and with nothing left open.</summary>
internal static class MediaPlan
{
    /// <summary>Refuses what can be refused without the model.</summary>
    /// <exception cref="GenerationRefusedException">Something is out of its range; the sentence names it.</exception>
    public static void Check(MediaOptions? media)
    {
        if (media is null)
        {
            return;
        }

        (string Name, double? Value, double Least, double Most)[] ranges =
        [
            ("image steps", media.ImageSteps, 1, 1_000), ("image guidance", media.ImageGuidance, 1, 30),
            ("image width", media.ImageWidth, 8, 2_048), ("image height", media.ImageHeight, 8, 2_048),
            ("audio steps", media.AudioSteps, 1, 1_000), ("audio seconds", media.AudioSeconds, 0.01, 10),
            ("video steps", media.VideoSteps, 1, 1_000), ("video frames", media.VideoFrames, 1, 24),
        ];
        foreach (var (name, value, least, most) in ranges)
        {
            if (value is { } number && !(number >= least && number <= most))
            {
                throw Refuse(string.Create(
                    CultureInfo.InvariantCulture, $"{name} is {number}, it must lie between {least} and {most:N0}."));
            }
        }

        if (media.Required.Intersect(media.Forbidden).Select(kind => (MediaKind?)kind).FirstOrDefault() is { } both)
        {
            throw Refuse($"A {MediaWords.One(both)} is both required and forbidden; leave one of the two out.");
        }

        if (!media.Text && media.Required.Count == 0)
        {
            throw Refuse("Neither text nor a medium was asked for; allow text, or require a picture, sound or clip.");
        }
    }

    /// <summary>Refuses media that the model cannot read.</summary>
    /// <exception cref="GenerationRefusedException">Names the kind and what it reads.</exception>
    public static void CheckReads(IReadOnlyList<PromptMessage> messages, NextGptModel? model)
    {
        var reads = model?.Abilities.Reads ?? [];
        foreach (var message in messages)
        {
            foreach (var part in message.Parts.OfType<MediaPart>())
            {
                var own = message.Role == PromptRole.Assistant && (model?.Signals.Patterns.ContainsKey(part.Medium.Kind) ?? false);
                if (!own && !reads.Contains(part.Medium.Kind))
                {
                    throw Refuse(
                        $"A {MediaWords.One(part.Medium.Kind)} came, and this model reads {MediaWords.List(reads)}; send the message without it.");
                }
            }
        }
    }

    /// <summary>Tokens that the signals of these kinds take.</summary>
    public static int TokensOf(IEnumerable<MediaKind> kinds, NextGptModel? model) =>
        model is null ? 0 : kinds.Sum(kind => model.Signals.Patterns.TryGetValue(kind, out var pattern) ? pattern.Count : 0);

    /// <summary>Which media may and must come; null where the model makes none and none is required.</summary>
    /// <exception cref="GenerationRefusedException">A required kind cannot come; the sentence says why.</exception>
    public static SignalRules? RulesFor(MediaOptions? media, NextGptModel? model, int most, int maxTokens)
    {
        var makes = model?.Abilities.Makes ?? [];
        var required = media?.Required ?? [];
        foreach (var kind in required.Where(kind => !makes.Contains(kind)).Take(1))
        {
            throw Refuse($"A {MediaWords.One(kind)} is required, and this model makes {MediaWords.List(makes)}; ask for one of those.");
        }

        if (model is null)
        {
            return null;
        }

        var outputs = model.Outputs;
        foreach (var same in required.GroupBy(kind => kind).Where(same => same.Count() > outputs[same.Key].MaxPerReply).Take(1))
        {
            throw Refuse(
                $"{same.Count()} {MediaWords.Many(same.Key)} are required, at most {outputs[same.Key].MaxPerReply} fit into one reply; ask for fewer.");
        }

        if (required.Count > most)
        {
            throw Refuse($"{required.Count} media are required, at most {most} fit into one reply; ask for fewer.");
        }

        if (TokensOf(required, model) is var needed && needed > maxTokens)
        {
            throw Refuse($"The reply may have {maxTokens} tokens, and the required media alone take {needed}; allow at least {needed}.");
        }

        return new SignalRules
        {
            MostOfKind = outputs.Where(output => !(media?.Forbidden.Contains(output.Key) ?? false))
                .ToDictionary(output => output.Key, output => output.Value.MaxPerReply),
            Most = most,
            Required = required,
            Text = media?.Text ?? true,
        };
    }

    /// <summary>How each kind is made: what was asked, what the package says where nothing was.</summary>
    public static IReadOnlyDictionary<MediaKind, RenderOptions> RendersFor(MediaOptions? asked, NextGptModel? model)
    {
        var renders = new Dictionary<MediaKind, RenderOptions>();
        foreach (var (kind, part) in model?.Outputs ?? new Dictionary<MediaKind, Packages.OutputPart>())
        {
            var steps = kind switch
            {
                MediaKind.Image => asked?.ImageSteps,
                MediaKind.Audio => asked?.AudioSteps,
                _ => asked?.VideoSteps,
            };
            var guidance = (kind == MediaKind.Image ? asked?.ImageGuidance : null) ?? part.GuidanceScale;
            renders.Add(kind, new RenderOptions
            {
                Seeds = [],
                Steps = steps ?? part.Steps,
                Guidance = model!.GuidanceFor(kind, guidance),   // there are outputs, so there is a model
                Width = kind == MediaKind.Image ? asked?.ImageWidth ?? part.Width : part.Width,
                Height = kind == MediaKind.Image ? asked?.ImageHeight ?? part.Height : part.Height,
                Seconds = asked?.AudioSeconds ?? part.Seconds,
                Frames = asked?.VideoFrames ?? part.Frames,
                FramesPerSecond = part.FramesPerSecond,
            });
        }

        return renders;
    }

    private static GenerationRefusedException Refuse(string sentence) => new(GenerationRefusal.InvalidRequest, sentence);
}
