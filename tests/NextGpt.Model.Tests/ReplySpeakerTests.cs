using NextGpt.Media;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Model.Tests.Language;

namespace NextGpt.Model.Tests;

/// <summary>Signals under a model that says anything at random: never torn, never forbidden, always there where they must be.</summary>
public sealed class ReplySpeakerTests
{
    private static readonly ITokenizer Tokenizer = TokenizerGolden.ByteBpe("smollm2");
    private static readonly MediaKind[] AllKinds = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_thousand_random_replies_have_no_torn_signal_and_keep_every_rule(bool second)
    {
        var signals = Signals(second);
        var cases = int.TryParse(Environment.GetEnvironmentVariable("NEXTGPT_FUZZ_CASES"), out var asked) ? asked : 500;   // twice: a thousand
        var (begun, ended) = (0, new HashSet<GenerationFinishReason>());
        for (var seed = 0; seed < cases; seed++)
        {
            var random = new Random(seed);
            var kinds = AllKinds.OrderBy(_ => random.Next()).ToArray();
            var rules = new SignalRules
            {
                MostOfKind = kinds.Skip(random.Next(3)).ToDictionary(kind => kind, _ => random.Next(1, 3)),
                Most = random.Next(2, 5),
                Text = random.Next(8) > 0,
            };
            rules = rules with { Required = [.. rules.MostOfKind.Keys.Take(random.Next(rules.Text ? 0 : 1, 3))] };
            var needed = rules.Required.Sum(kind => signals.Patterns[kind].Count);
            var maxTokens = needed + random.Next(1, 90);

            var (events, tokens, spoken) = Speak(signals, rules, maxTokens, seed);

            var found = Parse(tokens, signals);
            Assert.Equal(events.OfType<MediaBegun>().Select(e => e.Kind), found);
            Assert.Equal(found, spoken.Media.Select(medium => medium.Kind));
            Assert.True(tokens.Count <= maxTokens);
            Assert.True(found.Count <= Math.Max(rules.Most, rules.Required.Count));
            Assert.All(found.GroupBy(kind => kind), kind => Assert.True(kind.Count() <= rules.MostOfKind.GetValueOrDefault(kind.Key)));
            Assert.Equal(rules.Required, found.Where(rules.Required.Contains).Distinct());   // all of them, in their order
            Assert.All(spoken.Media, medium => Assert.Equal(signals.Patterns[medium.Kind].Count * spoken.HiddenSize, medium.States.Length));
            begun += found.Count;
            ended.Add(spoken.Reason);
        }

        Assert.True(begun > cases / 2, $"{begun} media in {cases} replies are too few to show anything");
        Assert.Contains(GenerationFinishReason.Length, ended);
        Assert.Contains(GenerationFinishReason.Stop, ended);
    }

    [Fact]
    public void The_state_of_a_signal_is_that_at_the_position_whose_input_is_its_token()
    {
        var signals = Signals(second: false);
        var image = signals.Patterns[MediaKind.Image];
        var rules = new SignalRules { MostOfKind = new Dictionary<MediaKind, int> { [MediaKind.Image] = 1 }, Most = 1, Required = [MediaKind.Image], Text = false };
        var engine = new ToyEngine(Tokenizer.VocabularySize + 38, _ => 5);

        var (_, _, spoken) = Speak(signals, rules, 20, seed: 1, engine, promptTokens: 6);

        // The toy's state is the number of tokens read, its embedding the token's id / 1,000.
        var states = spoken.Media.Single().States;
        for (var i = 0; i < image.Count; i++)
        {
            Assert.Equal(7 + i + (image[i] / 1_000f), states[i * engine.HiddenSize], 1e-4);
        }
    }

    [Fact]
    public void A_required_medium_follows_what_was_shown_when_a_stop_text_ends_the_reply()
    {
        var signals = Signals(second: false);
        var words = Tokenizer.Encode("A hat.STOP and more", SpecialTokens.AsText);
        var shown = Tokenizer.Encode("A hat.", SpecialTokens.AsText);
        var engine = new ToyEngine(Tokenizer.VocabularySize + 38, read => words[Math.Min(read.Count - 3, words.Count - 1)]);
        var rules = new SignalRules { MostOfKind = new Dictionary<MediaKind, int> { [MediaKind.Image] = 1 }, Most = 1, Required = [MediaKind.Image] };

        var (events, tokens, spoken) = Speak(signals, rules, 60, seed: 1, engine, stops: ["STOP"], temperature: 0);

        Assert.Equal("A hat.", string.Concat(events.OfType<TextGenerated>().Select(text => text.Text)));
        Assert.Equal([.. shown, .. signals.Patterns[MediaKind.Image]], tokens);
        Assert.Equal(GenerationFinishReason.Stop, spoken.Reason);
        Assert.Equal("A hat.", spoken.Media.Single().Caption);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("Here it is.", "Here it is.")]
    [InlineData("Of course! Here is a hat", "Here is a hat")]
    [InlineData("One.\nTwo three.", "Two three.")]
    [InlineData("It costs 3.50 euros", "It costs 3.50 euros")]
    public void The_caption_is_the_last_sentence(string said, string caption) => Assert.Equal(caption, ReplySpeaker.CaptionOf(said));

    [Fact]
    public void Long_captions_end_with_an_ellipsis() => Assert.Equal(300, ReplySpeaker.CaptionOf(new string('x', 900)).Length);

    [Fact]
    public void A_tokenizer_that_knows_only_some_of_the_added_tokens_belongs_to_another_package()
    {
        var refused = Assert.Throws<InvalidDataException>(() => SignalTokens.Resolve(TokenPart.V0, Tokenizer, Tokenizer.VocabularySize));

        Assert.Contains("knows 2 of the 38 added tokens", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>v0's or v2's, under names that the golden tokenizer does not know.</summary>
    private static SignalTokens Signals(bool second)
    {
        var tokens = second ? TokenPart.V2 : TokenPart.V0;
        string New(string name) => $"~{name}~";
        return SignalTokens.Resolve(
            tokens with
            {
                Added = [.. tokens.Added.Select(New)],
                MediaStart = tokens.MediaStart is { } start ? New(start) : null,
                MediaEnd = tokens.MediaEnd is { } end ? New(end) : null,
                Signals = tokens.Signals.ToDictionary(signal => signal.Key, signal => (IReadOnlyList<string>)[.. signal.Value.Select(New)]),
            },
            Tokenizer,
            Tokenizer.VocabularySize);
    }

    private static (List<GenerationEvent> Events, IReadOnlyList<int> Tokens, Spoken Spoken) Speak(
        SignalTokens signals, SignalRules rules, int maxTokens, int seed, ToyEngine? engine = null, int promptTokens = 3,
        IReadOnlyList<string>? stops = null, double temperature = 2)
    {
        engine ??= Babbler(seed, signals);
        var settings = SamplingSettings.Resolve(new SamplingOptions { Temperature = temperature }, new SamplingOptions());
        var constraint = new SignalConstraint(signals, rules, maxTokens, null);
        var sampler = new TokenSampler(settings, seed, [], Tokenizer.EndTokens, constraint);
        var plan = new ReplyPlan
        {
            Prompt = new BuiltPrompt([.. Enumerable.Repeat(4, promptTokens)], [], 0),
            Sampling = settings,
            Seed = seed,
            MaxTokens = maxTokens,
            StopTexts = stops ?? [],
            Signals = rules,
        };
        var model = new LoadedModel
        {
            Engine = engine,
            Tokenizer = Tokenizer,
            Template = new ChatMlTemplate(),
            ContextTokens = 512,
            Defaults = new ModelDefaults(new SamplingOptions(), ""),
        };
        var events = new List<GenerationEvent>();
        using var sequence = engine.NewSequence();
        var logits = new float[engine.VocabularySize];
        engine.Prefill(sequence, [.. plan.Prompt.Tokens], logits);
        var spoken = new ReplySpeaker(model, plan, sequence, sampler, constraint, events.Add).Speak(logits, CancellationToken.None);
        var tokens = sampler.Generated.Where(token => !Tokenizer.EndTokens.Contains(token)).ToList();
        Assert.Equal(spoken.Tokens, tokens.Count);
        return (events, tokens, spoken);
    }

    /// <summary>Likes signal tokens, torn and out of order, about every fourth token, and ends now and then.</summary>
    private static ToyEngine Babbler(int seed, SignalTokens signals)
    {
        var random = new Random(seed);
        var end = Tokenizer.EndTokens.First();
        return new ToyEngine(Tokenizer.VocabularySize + 38, _ => random.Next(40) == 0 ? end
            : random.Next(4) == 0 ? signals.Added[random.Next(signals.Added.Count)]
            : random.Next(20, 400));
    }

    /// <summary>The whole signals of a reply; fails at any signal token outside of one.</summary>
    private static List<MediaKind> Parse(IReadOnlyList<int> tokens, SignalTokens signals)
    {
        var found = new List<MediaKind>();
        for (var at = 0; at < tokens.Count;)
        {
            if (!signals.IsAdded(tokens[at]))
            {
                at++;
                continue;
            }

            var (kind, pattern) = signals.Patterns.Single(pattern => pattern.Value[0] == tokens[at]);
            Assert.Equal(pattern, tokens.Skip(at).Take(pattern.Count));
            found.Add(kind);
            at += pattern.Count;
        }

        return found;
    }
}
