using System.Text.Json.Nodes;
using NextGpt.Model.Decoders;

namespace NextGpt.Model.Encoders;

/// <summary>The tower for texts.</summary>
public sealed record ImageBindTextConfig
{
    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads; must divide the width.</summary>
    public required int Heads { get; init; }

    /// <summary>Rows of the token embedding.</summary>
    public int VocabularySize { get; init; } = 49_408;

    /// <summary>Tokens of every text, start, end and padding included.</summary>
    public int MaxTokens { get; init; } = 77;

    internal static ImageBindTextConfig Read(DiffusersConfig config) => new()
    {
        Width = config.Integer("text_embed_dim"),
        Layers = config.Integer("text_num_blocks"),
        Heads = config.Integer("text_num_heads"),
        VocabularySize = config.Integer("text_vocab_size", 49_408),
        MaxTokens = config.Integer("text_context_length", 77),
    };

    internal void Write(JsonObject settings)
    {
        settings["text_embed_dim"] = Width;
        settings["text_num_blocks"] = Layers;
        settings["text_num_heads"] = Heads;
        settings["text_vocab_size"] = VocabularySize;
        settings["text_context_length"] = MaxTokens;
    }
}
