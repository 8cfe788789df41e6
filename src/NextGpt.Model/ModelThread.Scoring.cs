using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <content>How likely a text is.</content>
public sealed partial class ModelThread : ITextScorer
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<double>> ScoreAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        cancellationToken.ThrowIfCancellationRequested();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
        var work = new ScoringWork(this, text, stop.Token);
        ThrowIfFull(Enqueue(work, bounded: true));
        using var leaving = stop.Token.Register(() =>
        {
            _queue.Remove(work);
            work.Fail(new OperationCanceledException(stop.Token));
        });
        return await work.Scores;
    }

    /// <summary>Reads a text token by token, as a reply is decoded.</summary>
    private sealed class ScoringWork(ModelThread owner, string text, CancellationToken stop) : ModelWork
    {
        private readonly TaskCompletionSource<IReadOnlyList<double>> _scores = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<IReadOnlyList<double>> Scores => _scores.Task;

        public override void Run()
        {
            stop.ThrowIfCancellationRequested();
            var model = owner.Loaded(again: false);
            var written = model.Tokenizer.Encode(text, SpecialTokens.AsText);
            List<int> tokens = model.Tokenizer.BeginToken is { } begin ? [begin, .. written] : [.. written];
            if (tokens.Count > model.ContextTokens)
            {
                throw new GenerationRefusedException(
                    GenerationRefusal.PromptTooLong,
                    FormattableString.Invariant($"The text has {tokens.Count:N0} tokens, at most {model.ContextTokens:N0} can be scored at once; cut it."));
            }

            var scores = new List<double>(tokens.Count);
            var logits = new float[model.Engine.VocabularySize];
            using var sequence = model.Engine.NewSequence();
            for (var at = 0; at + 1 < tokens.Count; at++)
            {
                stop.ThrowIfCancellationRequested();
                if (at == 0)
                {
                    model.Engine.Prefill(sequence, [tokens[0]], logits);
                }
                else
                {
                    model.Engine.Decode(sequence, tokens[at], logits);
                }

                scores.Add(LogProbability(logits, tokens[at + 1]));
            }

            _scores.TrySetResult(scores);
        }

        public override void Fail(Exception failure)
        {
            if (failure is OperationCanceledException cancelled)
            {
                _scores.TrySetCanceled(cancelled.CancellationToken);
            }
            else
            {
                _scores.TrySetException(failure);
            }
        }

        private static double LogProbability(ReadOnlySpan<float> logits, int token)
        {
            var largest = float.NegativeInfinity;
            foreach (var logit in logits)
            {
                largest = Math.Max(largest, logit);
            }

            var sum = 0.0;
            foreach (var logit in logits)
            {
                sum += Math.Exp(logit - largest);
            }

            return logits[token] - largest - Math.Log(sum);
        }
    }
}
