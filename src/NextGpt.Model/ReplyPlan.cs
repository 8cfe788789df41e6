using System.Security.Cryptography;
using NextGpt.Media;
using NextGpt.Model.Decoders;
using NextGpt.Model.Language;

namespace NextGpt.Model;

/// <summary>A request as the network will see it: every setting decided, every text a token.</summary>
internal sealed record ReplyPlan
{
    /// <summary>The prompt.</summary>
    public required BuiltPrompt Prompt { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public required SamplingSettings Sampling { get; init; }

    /// <summary>Where the draws come from.</summary>
    public required long Seed { get; init; }

    /// <summary>Most tokens of the reply.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Texts that end the reply: the request's and the template's.</summary>
    public required IReadOnlyList<string> StopTexts { get; init; }

    /// <summary>Which media may and must come; null where the model makes none.</summary>
    public SignalRules? Signals { get; init; }

    /// <summary>How each kind is made, seeds left open.</summary>
    public IReadOnlyDictionary<MediaKind, RenderOptions> Renders { get; init; } = new Dictionary<MediaKind, RenderOptions>();

    /// <summary>Refuses what can be refused without the model.</summary>
    /// <exception cref="GenerationRefusedException">Something is out of its range; the sentence names it.</exception>
    public static void Check(GenerationRequest request)
    {
        SamplingSettings.Resolve(request.Sampling, new SamplingOptions());
        StopSequences.Check(request.StopSequences);
        MediaPlan.Check(request.Media);
        if (request.MaxTokens is < 1)
        {
            throw Refuse($"max_tokens is {request.MaxTokens}, it must be at least 1.");
        }

        if (!request.Messages.Any(message => message.Role is PromptRole.User or PromptRole.Tool))
        {
            throw Refuse("No message from a person came; write something.");
        }

        var newest = request.Messages[^1];
        if (newest.Role == PromptRole.Assistant)
        {
            throw Refuse("The last message is the model's own; add the person's next one.");
        }

        if (newest.Role == PromptRole.User && newest.Parts.All(part => part is TextPart text && string.IsNullOrWhiteSpace(text.Text)))
        {
            throw Refuse("No text and no file came; write something or attach a file.");
        }
    }

    /// <summary>Decides everything that is still open.</summary>
    /// <exception cref="GenerationRefusedException">The prompt does not fit, or the adapter is not there.</exception>
    public static ReplyPlan Make(GenerationRequest request, LoadedModel model, ModelOptions options)
    {
        if (request.Adapter is not null && request.Adapter != model.Adapter)
        {
            throw new GenerationRefusedException(GenerationRefusal.UnknownAdapter, model.Adapter is null
                ? $"There is no adapter {request.Adapter}; the model speaks without one. Leave the adapter out."
                : $"There is no adapter {request.Adapter}; the current one is {model.Adapter}.");
        }

        // At least three quarters of the context are the prompt's, more where a short reply was asked for.
        var asked = request.MaxTokens ?? options.MaxReplyTokens;
        var reserved = Math.Max(
            Math.Min(asked, model.ContextTokens / 4), Math.Min(asked, MediaPlan.TokensOf(request.Media?.Required ?? [], model.Media)));
        MediaPlan.CheckReads(request.Messages, model.Media);
        var builder = new PromptBuilder(model.Tokenizer, model.Template, model.Media?.Splice);
        var prompt = builder.Fit(WithSystemText(request.Messages, model, options), model.ContextTokens - reserved);
        var maxTokens = Math.Min(asked, model.ContextTokens - prompt.Tokens.Count);
        return new ReplyPlan
        {
            Prompt = prompt,
            Sampling = SamplingSettings.Resolve(request.Sampling, model.Defaults.Sampling),
            Seed = request.Seed ?? RandomNumberGenerator.GetInt32(int.MaxValue),
            MaxTokens = maxTokens,
            StopTexts = [.. request.StopSequences, .. model.Template.StopTexts],
            Signals = MediaPlan.RulesFor(request.Media, model.Media, options.MaxMediaPerReply, maxTokens),
            Renders = MediaPlan.RendersFor(request.Media, model.Media),
        };
    }

    private static IReadOnlyList<PromptMessage> WithSystemText(
        IReadOnlyList<PromptMessage> messages, LoadedModel model, ModelOptions options)
    {
        var text = options.SystemText ?? model.Defaults.SystemText;
        return text.Length == 0 || messages.Any(message => message.Role == PromptRole.System)
            ? messages
            : [PromptMessage.Of(PromptRole.System, text), .. messages];
    }

    private static GenerationRefusedException Refuse(string sentence) => new(GenerationRefusal.InvalidRequest, sentence);
}
