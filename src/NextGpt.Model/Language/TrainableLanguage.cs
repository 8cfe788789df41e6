namespace NextGpt.Model.Language;

/// <summary>A language model that can be trained: network, tokenizer and template of one file or folder, in float32.</summary>
/// <remarks>Owned by one thread.</remarks>
public sealed class TrainableLanguage : IDisposable
{
    private readonly PromptBuilder _builder;

    internal TrainableLanguage(LlamaModel network, ITokenizer tokenizer, IPromptTemplate template)
    {
        Network = network;
        Tokenizer = tokenizer;
        _builder = new PromptBuilder(tokenizer, template);
    }

    /// <summary>The network; its weights are frozen until somebody asks for their gradients.</summary>
    public LlamaModel Network { get; }

    /// <summary>Its tokenizer.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>Loads what the options name, the embedded model where they name nothing.</summary>
    /// <param name="options">Model, template, device.</param>
    /// <exception cref="InvalidDataException">The files are not usable, with what to do.</exception>
    public static TrainableLanguage Load(ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return LanguageModelLoader.LoadForTraining(options);
    }

    /// <summary>A conversation as the model will read it.</summary>
    /// <param name="messages">Oldest first.</param>
    /// <param name="openReply">True to end where the model's reply begins.</param>
    /// <returns>The tokens, and for each whether the loss covers it: the model's own words and their end mark.</returns>
    public (IReadOnlyList<int> Tokens, IReadOnlyList<bool> Trained) Write(IReadOnlyList<PromptMessage> messages, bool openReply = false)
    {
        var built = _builder.Build(messages, openReply);
        return (built.Tokens, built.Trained);
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();
}
