using NextGpt.Model.Packages;
using static TorchSharp.torch;

namespace NextGpt.Model.Language;

/// <summary>A language model that can be trained: network, tokenizer and template of one file or folder.</summary>
/// <remarks>Owned by one thread.</remarks>
public sealed class TrainableLanguage : IDisposable
{
    private readonly IPromptTemplate _template;
    private PromptBuilder _builder;

    internal TrainableLanguage(LlamaModel network, ITokenizer tokenizer, IPromptTemplate template)
    {
        Network = network;
        Tokenizer = tokenizer;
        _template = template;
        _builder = new PromptBuilder(tokenizer, template);
    }

    /// <summary>The network; its weights are frozen until somebody asks for their gradients.</summary>
    public LlamaModel Network { get; }

    /// <summary>Its tokenizer.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>How conversations are written, as manifests name it.</summary>
    public string TemplateName => _template.Name;

    /// <summary>Loads what the options name, the embedded model where they name nothing.</summary>
    /// <param name="options">Model, template, device.</param>
    /// <param name="type">Type of the frozen weights; what is trained beside them is float32.</param>
    /// <exception cref="InvalidDataException">The files are not usable, with what to do.</exception>
    public static TrainableLanguage Load(ModelOptions options, ScalarType type = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(options);
        return LanguageModelLoader.LoadForTraining(options, type);
    }

    /// <summary>From now on media can stand in conversations, as they do in a package with these tokens.</summary>
    /// <param name="tokens">The package's tokens.</param>
    /// <param name="mediaTokens">Positions of one medium.</param>
    /// <returns>The tokens by their ids.</returns>
    /// <exception cref="InvalidDataException">The tokenizer knows some of the tokens and not others.</exception>
    public SignalTokens TakeMedia(TokenPart tokens, int mediaTokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(mediaTokens, 1);
        var signals = SignalTokens.Resolve(tokens, Tokenizer, Network.Config.VocabularySize);
        _builder = new PromptBuilder(Tokenizer, _template, new MediaSplice
        {
            Tokens = signals,
            MediaTokens = mediaTokens,
            SwallowsSpaces = tokens.SwallowsSpaces,
            IdOf = _ => -1,   // training knows its media by their order
        });
        return signals;
    }

    /// <summary>A conversation as the model will read it, written by the very builder that answering uses.</summary>
    /// <param name="messages">Oldest first.</param>
    /// <param name="openReply">True to end where the model's reply begins.</param>
    /// <returns>
    /// The tokens, −1 where a medium stands, and for each whether the loss covers it: the model's own words, signals and end mark.
    /// </returns>
    /// <exception cref="NotSupportedException">There is a medium and <see cref="TakeMedia"/> was not called.</exception>
    public BuiltPrompt Write(IReadOnlyList<PromptMessage> messages, bool openReply = false) => _builder.Build(messages, openReply);

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();
}
