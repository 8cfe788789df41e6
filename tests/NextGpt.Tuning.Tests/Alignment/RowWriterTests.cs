using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Packages;
using NextGpt.Tuning.Alignment;
using NextGpt.Tuning.Tasks;

namespace NextGpt.Tuning.Tests.Alignment;

public sealed class RowWriterTests : IDisposable
{
    private readonly TinyStage _stage = new();
    private readonly TrainableLanguage _language;
    private readonly RowWriter _writer;
    private readonly SignalTokens _signals;

    public RowWriterTests()
    {
        _language = _stage.Language();
        _signals = _language.TakeMedia(TokenPart.V0, 1);
        _writer = new RowWriter(_language, _signals);
    }

    [Fact]
    public void Training_writes_token_by_token_what_answering_reads_and_would_say()
    {
        var model = LanguageModelLoader.Load(
            new ModelOptions { Path = _stage.Package.Folder, Device = "cpu" }, TimeProvider.System, new Progress<double>(), TestContext.Current.CancellationToken);
        using var engine = model.Engine;
        using var media = model.Media!;
        var tasks = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sample in Enumerable.Range(0, 400).Select(place => TinyStage.Mixture.ForTraining(place)))
        {
            var row = _writer.Write(sample);
            var messages = RealMessages(sample);
            // What the program makes of the same conversation, answered: the prompt by the plan of a reply, the reply as history has it.
            var asked = ReplyPlan.Make(new GenerationRequest { Messages = [.. messages.SkipLast(1)] }, model, new ModelOptions { MaxReplyTokens = 64 }).Prompt;
            var whole = new PromptBuilder(model.Tokenizer, model.Template, media.Splice).Build(messages, openReply: false);

            Assert.Equal(0, asked.DroppedMessages);
            Assert.Equal(asked.Tokens.Select(Masked), row.Tokens.Take(asked.Tokens.Count));
            Assert.Equal(whole.Tokens.Select(Masked), row.Tokens);
            Assert.Equal(asked.Media.Select(medium => (medium.Position, medium.Medium.Kind)), row.Media.Select(medium => (medium.Position, medium.Recipe.Kind)));
            Assert.Contains(model.Tokenizer.EndTokens, token => row.Labels.Contains(token));
            tasks.Add(sample.Task);
        }

        Assert.Equal(TaskMixture.Shares.Keys.Order(), tasks.Order());
    }

    [Fact]
    public void Only_the_models_own_words_signals_and_end_marks_are_learnt()
    {
        var sample = TinyStage.Mixture.ForTraining(3, "picture to video");
        var row = _writer.Write(sample);
        var answer = sample.Messages[^1].Parts.OfType<WordsPart>().Single().Text;
        var learnt = row.Labels.Where(label => label != NextTokenLoss.Unlabelled).Select(label => (int)label).ToList();

        Assert.Equal(answer, _language.Tokenizer.Decode([.. learnt.TakeWhile(token => !_signals.IsAdded(token))]));
        Assert.Equal([.. _signals.Patterns[MediaKind.Video], _language.Tokenizer.Find("<|im_end|>")!.Value], learnt.SkipWhile(token => !_signals.IsAdded(token)));
        var signal = Assert.Single(row.Signals);
        Assert.Equal(_signals.Patterns[MediaKind.Video], row.Tokens.Skip(signal.Start).Take(signal.Length));
        Assert.Equal(-1, row.Tokens[Assert.Single(row.Media).Position]);
        Assert.True(row.Media[0].Position < signal.Start);
    }

    [Fact]
    public void The_decoding_side_learns_signals_and_end_marks_alone()
    {
        var row = new RowWriter(_language, _signals) { SignalsOnly = true }.Write(TinyStage.Mixture.ForTraining(3, "text to picture"));
        var learnt = row.Labels.Where(label => label != NextTokenLoss.Unlabelled).Select(label => (int)label);

        Assert.Equal([.. _signals.Patterns[MediaKind.Image], _language.Tokenizer.Find("<|im_end|>")!.Value], learnt);
        Assert.Single(row.Signals);
    }

    [Fact]
    public void A_model_without_the_signal_of_a_kind_says_so()
    {
        using var language = _stage.Language();
        var tokens = TokenPart.V0 with { Signals = TokenPart.V0.Signals.Where(signal => signal.Key != MediaKind.Audio).ToDictionary() };
        var writer = new RowWriter(language, language.TakeMedia(tokens, 1));

        var failure = Assert.Throws<InvalidDataException>(() => writer.Write(TinyStage.Mixture.ForTraining(1, "text to sound")));

        Assert.Contains("lack the signal", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _language.Dispose();
        _stage.Dispose();
    }

    private static int Masked(int token) => token < 0 ? -1 : token;

    private static IReadOnlyList<PromptMessage> RealMessages(InstructionSample sample) => [.. sample.Messages.Select(message => new PromptMessage
    {
        Role = message.Role,
        Parts = [.. message.Parts.Select<InstructionPart, PromptPart>(part => part switch
        {
            WordsPart words => new TextPart(words.Text),
            ShownPart shown => new MediaPart(TinyStage.Mixture.Studio.Make(shown.Recipe)),
            SignalPart signal => new MediaPart(TinyStage.Mixture.Studio.Make(signal.Target)),
            _ => throw new InvalidOperationException(),
        })],
    })];
}
