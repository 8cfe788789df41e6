using NextGpt.Media;
using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>Writes one reply: reads the prompt, speaks, makes the media, tells what happens. On the model thread.</summary>
/// <remarks>
/// Text is spoken to its end before the first medium is made: on one thread a picture in the middle would hold up the words behind
/// it (TRN-4), and what the network remembers can go back to the cache before seconds of denoising begin.
/// </remarks>
/// <param name="model">What speaks.</param>
/// <param name="prefixes">What the network remembers of earlier turns.</param>
/// <param name="time">The clock of progress.</param>
/// <param name="tell">Gets what happens.</param>
/// <param name="failed">Gets why a medium could not be made, for the log.</param>
internal sealed class ReplyWriter(
    LoadedModel model, PrefixCache prefixes, TimeProvider time, Action<GenerationEvent> tell, Action<MediaKind, Exception> failed)
{
    private static readonly TimeSpan ProgressPace = TimeSpan.FromMilliseconds(500);

    private readonly float[] _logits = new float[model.Engine.VocabularySize];

    /// <summary>Writes the reply to a plan.</summary>
    /// <param name="modelId">The id that is reported.</param>
    /// <param name="request">The request, for its key and its constraint.</param>
    /// <param name="plan">What was decided.</param>
    /// <param name="cancellationToken">Looked at before every chunk of the prompt, every token and every denoising step.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Write(string modelId, GenerationRequest request, ReplyPlan plan, CancellationToken cancellationToken)
    {
        var spoken = Speak(modelId, request, plan, cancellationToken);
        var steps = spoken.Media.Sum(medium => Make(medium, plan, cancellationToken));
        tell(new GenerationFinished
        {
            Reason = spoken.Reason,
            PromptTokens = plan.Prompt.Tokens.Count,
            ReplyTokens = spoken.Tokens,
            Media = UsageOf(plan, spoken, steps),
        });
    }

    private Spoken Speak(string modelId, GenerationRequest request, ReplyPlan plan, CancellationToken cancellationToken)
    {
        var prompt = plan.Prompt.Tokens;
        var sequence = prefixes.Take(request.ConversationKey, prompt, model.Engine);
        var signals = model.Media is { } media && plan.Signals is { } rules
            ? new SignalConstraint(media.Signals, rules, plan.MaxTokens, request.Constraint)
            : null;
        var sampler = new TokenSampler(
            plan.Sampling, plan.Seed, prompt, model.Tokenizer.EndTokens, signals ?? request.Constraint);
        var whole = false;
        try
        {
            tell(new GenerationStarted
            {
                ModelId = modelId,
                Adapter = model.Adapter,
                Seed = plan.Seed,
                PromptTokens = prompt.Count,
                CachedPromptTokens = sequence.Length,
                DroppedMessages = plan.Prompt.DroppedMessages,
            });
            ReadPrompt(sequence, plan.Prompt, cancellationToken);
            var spoken = new ReplySpeaker(model, plan, sequence, sampler, signals, tell).Speak(_logits, cancellationToken);
            whole = true;
            return spoken;
        }
        catch (OperationCanceledException)
        {
            whole = true;   // what was read is right, only not all of it
            throw;
        }
        finally
        {
            if (whole)
            {
                prefixes.Keep(request.ConversationKey, prompt, sampler.Generated, sequence, model.Engine);
            }
            else
            {
                sequence.Dispose();
            }
        }
    }

    private void ReadPrompt(ILanguageSequence sequence, BuiltPrompt prompt, CancellationToken cancellationToken)
    {
        int[] tokens = [.. prompt.Tokens];
        var chunk = model.Engine.ChunkTokens;
        while (sequence.Length < tokens.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var from = sequence.Length;
            var to = Math.Min(tokens.Length, (from / chunk + 1) * chunk);
            Span<float> logits = to == tokens.Length ? _logits : [];
            if (prompt.Media.Any(medium => medium.Position < to && medium.Position + medium.Count > from))
            {
                model.Engine.PrefillEmbeddings(sequence, EmbeddingsOf(prompt, tokens, from, to), logits);
            }
            else
            {
                model.Engine.Prefill(sequence, tokens.AsSpan(from, to - from), logits);
            }
        }
    }

    /// <returns>[positions · hidden], media among tokens.</returns>
    private float[] EmbeddingsOf(BuiltPrompt prompt, int[] tokens, int from, int to)
    {
        var hidden = model.Engine.HiddenSize;
        var embeddings = new float[(to - from) * hidden];
        for (var position = from; position < to; position++)
        {
            var place = embeddings.AsSpan((position - from) * hidden, hidden);
            if (tokens[position] >= 0)
            {
                model.Engine.Embed(tokens[position], place);
                continue;
            }

            var medium = prompt.Media.Last(medium => medium.Position <= position);
            model.Media!.Embed(medium).AsSpan((position - medium.Position) * hidden, hidden).CopyTo(place);   // only it splices media
        }

        return embeddings;
    }

    /// <returns>Denoising steps taken.</returns>
    private int Make(SpokenMedium spoken, ReplyPlan plan, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var media = model.Media!;   // a signal was spoken, so there are media
        var seed = plan.Seed + spoken.Index;
        var options = plan.Renders[spoken.Kind] with { Seeds = [seed] };
        try
        {
            var medium = media.Render(
                spoken.Kind, spoken.States, options, new Pace(time, share => tell(new MediaProgressed(spoken.Index, spoken.Kind, share))),
                cancellationToken);
            tell(new MediaGenerated(spoken.Index, medium)
            {
                Caption = spoken.Caption,
                Seed = seed,
                Steps = options.Steps ?? 0,
                GuidanceScale = options.Guidance ?? 1,
            });
            return options.Steps ?? 0;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)   // an edge (rule 21): the reply goes on without it
        {
            failed(spoken.Kind, failure);
            tell(new MediaFailed(spoken.Index, spoken.Kind, ReasonOf(spoken.Kind, failure)));
            return 0;
        }
    }

    private static string ReasonOf(MediaKind kind, Exception failure) => failure switch
    {
        _ when MediaOutput.IsOutOfMemory(failure) =>
            $"The {MediaWords.One(kind)} did not fit into memory; try a smaller one, or later.",
        ArgumentException => failure.Message,
        _ => $"The {MediaWords.One(kind)} could not be made; the log says why.",
    };

    private static MediaUsage? UsageOf(ReplyPlan plan, Spoken spoken, int steps)
    {
        if (plan.Prompt.Media.Count == 0 && spoken.Media.Count == 0)
        {
            return null;
        }

        return new MediaUsage
        {
            PromptTokens = plan.Prompt.Media.GroupBy(medium => medium.Medium.Kind)
                .ToDictionary(kind => kind.Key, kind => kind.Sum(medium => medium.Count)),
            SignalTokens = spoken.Media.GroupBy(medium => medium.Kind)
                .ToDictionary(kind => kind.Key, kind => kind.Sum(medium => medium.States.Length / spoken.HiddenSize)),
            DenoisingSteps = steps,
        };
    }

    /// <summary>Lets progress through at most twice a second.</summary>
    private sealed class Pace(TimeProvider time, Action<double> report) : IProgress<double>
    {
        private long _last = time.GetTimestamp();

        public void Report(double value)
        {
            if (value < 1 && time.GetElapsedTime(_last) >= ProgressPace)
            {
                _last = time.GetTimestamp();
                report(value);
            }
        }
    }
}
