using System.Runtime.CompilerServices;
using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Tuning.Evaluation;

namespace NextGpt.Tuning.Tests.Evaluation;

/// <summary>Answers as a test tells it to; stands where the model would.</summary>
internal sealed class ScriptedModel(ModelAbilities abilities, Func<GenerationRequest, (string Text, Medium[] Media)> answer) : IGenerator, ITextScorer
{
    private int _asked;

    public int Asked => _asked;

    public string ModelId => "scripted";

    public ModelAbilities Abilities => abilities;

    internal Examinee Examinee => new(this, this);

    public static string Question(GenerationRequest request) =>
        string.Join(' ', request.Messages[^1].Parts.OfType<TextPart>().Select(part => part.Text));

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(
        GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Increment(ref _asked);
        var (text, media) = answer(request);
        yield return new GenerationStarted { ModelId = ModelId, Seed = 0, PromptTokens = 1, CachedPromptTokens = 0 };
        yield return new TextGenerated(text);
        for (var at = 0; at < media.Length; at++)
        {
            yield return new MediaBegun(at, media[at].Kind);
            yield return new MediaGenerated(at, media[at]) { Caption = text, Seed = 0, Steps = 1, GuidanceScale = 1 };
        }

        yield return new GenerationFinished { Reason = GenerationFinishReason.Stop, PromptTokens = 1, ReplyTokens = 1 };
    }

    public Task<IReadOnlyList<double>> ScoreAsync(string text, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<double>>([.. text.Split(' ').Skip(1).Select(_ => -2.0)]);
}
