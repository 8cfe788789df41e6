using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>Writes one reply: reads the prompt, chooses token after token, tells what happens. On the model thread.</summary>
internal sealed class ReplyWriter(LoadedModel model, PrefixCache prefixes, Action<GenerationEvent> tell)
{
    private readonly float[] _logits = new float[model.Engine.VocabularySize];

    /// <summary>Writes the reply to a plan.</summary>
    /// <param name="modelId">The id that is reported.</param>
    /// <param name="request">The request, for its key and its constraint.</param>
    /// <param name="plan">What was decided.</param>
    /// <param name="cancellationToken">Looked at before every chunk of the prompt and every token.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Write(string modelId, GenerationRequest request, ReplyPlan plan, CancellationToken cancellationToken)
    {
        var prompt = plan.Prompt.Tokens;
        var sequence = prefixes.Take(request.ConversationKey, prompt, model.Engine);
        var sampler = new TokenSampler(
            plan.Sampling, plan.Seed, prompt, model.Tokenizer.EndTokens, request.Constraint);
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
            ReadPrompt(sequence, [.. prompt], cancellationToken);
            var (reason, tokens) = Speak(sequence, sampler, plan, cancellationToken);
            whole = true;
            tell(new GenerationFinished { Reason = reason, PromptTokens = prompt.Count, ReplyTokens = tokens });
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

    private void ReadPrompt(ILanguageSequence sequence, ReadOnlySpan<int> prompt, CancellationToken cancellationToken)
    {
        var chunk = model.Engine.ChunkTokens;
        while (sequence.Length < prompt.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var from = sequence.Length;
            var to = Math.Min(prompt.Length, (from / chunk + 1) * chunk);
            model.Engine.Prefill(sequence, prompt[from..to], to == prompt.Length ? _logits : []);
        }
    }

    private (GenerationFinishReason Reason, int Tokens) Speak(
        ILanguageSequence sequence, TokenSampler sampler, ReplyPlan plan, CancellationToken cancellationToken)
    {
        var text = new TokenTextStream(model.Tokenizer);
        var stops = new StopSequences(plan.StopTexts);
        var guard = new RepetitionGuard();
        for (var tokens = 0; ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var token = sampler.Next(_logits);
            if (model.Tokenizer.EndTokens.Contains(token))
            {
                return (End(GenerationFinishReason.Stop), tokens);
            }

            tokens++;
            Tell(stops.Add(text.Add(token)));
            if (stops.Found)
            {
                return (GenerationFinishReason.Stop, tokens);
            }

            if (guard.Loops(token))
            {
                return (End(GenerationFinishReason.Repetition), tokens);
            }

            if (tokens == plan.MaxTokens)
            {
                return (End(GenerationFinishReason.Length), tokens);
            }

            model.Engine.Decode(sequence, token, _logits);
        }

        GenerationFinishReason End(GenerationFinishReason reason)
        {
            if (reason is not GenerationFinishReason.Length)   // half a character that the limit cut off is left out
            {
                Tell(stops.Add(text.End()));
            }

            var found = stops.Found;
            Tell(stops.End());
            return found ? GenerationFinishReason.Stop : reason;
        }
    }

    private void Tell(string text)
    {
        if (text.Length > 0)
        {
            tell(new TextGenerated(text));
        }
    }
}
