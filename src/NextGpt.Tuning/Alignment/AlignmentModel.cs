using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Model.Packages;
using NextGpt.Model.Projections;
using NextGpt.Model.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Alignment;

/// <summary>What is put around a language model, and what of it an earlier stage has made.</summary>
public sealed record AlignmentParts
{
    /// <summary>The added tokens; null trains talk alone.</summary>
    public TokenPart? Tokens { get; init; }

    /// <summary>Width of the encoder's features; null shows nothing.</summary>
    public int? FeatureSize { get; init; }

    /// <summary>Width of the hidden layer of a fresh input projection; 0 is one linear layer, as in v0.</summary>
    public int InputWidth { get; init; }

    /// <summary>Output projections by kind; what an earlier stage has made keeps its own numbers.</summary>
    public IReadOnlyDictionary<MediaKind, OutputProjectionConfig> Outputs { get; init; } = new Dictionary<MediaKind, OutputProjectionConfig>();

    /// <summary>The folder of an earlier stage, whose parts are taken where they are; null begins afresh.</summary>
    public string? From { get; init; }

    /// <summary>Fresh parts follow from it.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>A frozen language model with the parts that the stages train: projections, added rows, adapter.</summary>
/// <remarks>
/// Parts are float32 on the device of the language model, whatever its own type. Belongs to one thread. The language model stays the
/// caller's; disposing takes adapter and rows off it.
/// </remarks>
public sealed class AlignmentModel : IDisposable
{
    /// <summary>Folder of an adapter inside the folder of a stage.</summary>
    public const string AdapterFolder = "adapter";

    /// <summary>File of the added rows inside the folder of a stage.</summary>
    public const string RowsFile = "projections/tokens.safetensors";

    /// <summary>File of the input projection inside the folder of a stage.</summary>
    public const string InputFile = "projections/input.safetensors";

    private readonly Dictionary<MediaKind, OutputProjection> _outputs = [];

    /// <summary>Makes or reads the parts and puts them on.</summary>
    /// <param name="language">What they stand around.</param>
    /// <param name="parts">Which, and from where.</param>
    /// <param name="stage">Whose adapter a fresh one is.</param>
    /// <exception cref="InvalidDataException">A part of the earlier stage is of another model, with what was expected.</exception>
    public AlignmentModel(TrainableLanguage language, AlignmentParts parts, AlignmentStage stage)
    {
        ArgumentNullException.ThrowIfNull(language);
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(stage);
        Language = language;
        Tokens = parts.Tokens;
        using var scope = NewDisposeScope();
        try
        {
            Make(parts, stage);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The language model.</summary>
    public TrainableLanguage Language { get; }

    /// <summary>The added tokens, or null.</summary>
    public TokenPart? Tokens { get; }

    /// <summary>The added tokens by their ids, or null.</summary>
    public SignalTokens? Signals { get; private set; }

    /// <summary>Their rows, or null.</summary>
    public AddedTokenRows? Rows { get; private set; }

    /// <summary>How media come in, or null.</summary>
    public InputProjection? Input { get; private set; }

    /// <summary>How media go out.</summary>
    public IReadOnlyDictionary<MediaKind, OutputProjection> Outputs => _outputs;

    /// <summary>The adapter, or null.</summary>
    public LoraAdapter? Adapter { get; private set; }

    /// <summary>The file of a kind's output projection inside the folder of a stage.</summary>
    /// <param name="kind">The kind.</param>
    public static string OutputFile(MediaKind kind) => $"projections/{NameOf(kind)}.safetensors";

    /// <summary>The kind as folders and files write it.</summary>
    internal static string NameOf(MediaKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>Freezes everything that a stage does not move.</summary>
    /// <param name="stage">The stage.</param>
    /// <returns>What moves, by name; never empty.</returns>
    /// <exception cref="InvalidOperationException">The stage moves nothing that the model has.</exception>
    public IReadOnlyList<(string Name, Parameter Parameter)> Moving(AlignmentStage stage)
    {
        ArgumentNullException.ThrowIfNull(stage);
        var moving = new List<(string Name, Parameter Parameter)>();
        void Part(string name, IEnumerable<(string Name, Parameter Parameter)> parameters, bool moves)
        {
            foreach (var (own, parameter) in parameters)
            {
                parameter.requires_grad = moves;
                if (moves)
                {
                    moving.Add(($"{name}.{own}", parameter));
                }
            }
        }

        Part("input", Input?.named_parameters() ?? [], stage.Input);
        foreach (var (kind, output) in _outputs.OrderBy(output => output.Key))
        {
            Part($"output.{NameOf(kind)}", output.named_parameters(), stage.Outputs);
        }

        Part("rows", Rows?.named_parameters() ?? [], stage.Rows);
        Part("adapter", Adapter?.NamedParameters ?? [], stage.Adapter is not null);
        return moving.Count > 0 ? moving : throw new InvalidOperationException(
            $"The stage {stage.Name} has nothing to train: "
            + (stage.Input && Input is null ? "there is no encoder; name one with --encoder." : "there is no decoder; name one with --picture-decoder, --sound-decoder or --clip-decoder."));
    }

    /// <summary>Writes every part, trained or taken over, so that the next stage needs this folder alone.</summary>
    /// <param name="folder">Parts of the same names are replaced.</param>
    /// <param name="storedAs">How numbers are stored.</param>
    public void Save(string folder, SafetensorsType storedAs = SafetensorsType.F32)
    {
        if (Rows is not null)
        {
            Directory.CreateDirectory(Path.Combine(folder, "projections"));
        }

        Rows?.Save(Path.Combine(folder, RowsFile), storedAs);
        if (Input is not null)
        {
            Pictures.NetworkFiles.SaveWeights(Input, Path.Combine(folder, InputFile), storedAs);
        }

        foreach (var (kind, output) in _outputs)
        {
            Pictures.NetworkFiles.SaveWeights(output, Path.Combine(folder, OutputFile(kind)), storedAs);
        }

        if (Adapter is not null)
        {
            var target = Path.Combine(folder, AdapterFolder);
            if (Directory.Exists(target))
            {
                Directory.Delete(target, recursive: true);
            }

            Adapter.Save(target, storedAs);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LoraAdapter.Detach(Language.Network);
        Language.Network.Use(null);
        Adapter?.Dispose();
        Rows?.Dispose();
        Input?.Dispose();
        foreach (var output in _outputs.Values)
        {
            output.Dispose();
        }
    }

    /// <summary>The shape of the input projection in a file, by its names.</summary>
    internal static InputProjectionKind KindOf(SafetensorsFile file) => file.Tensors.ContainsKey("out_fc.weight") ? InputProjectionKind.Group
        : file.Tensors.ContainsKey("0.weight") ? InputProjectionKind.Mlp : InputProjectionKind.Linear;

    private void Make(AlignmentParts parts, AlignmentStage stage)
    {
        var network = Language.Network;
        var (device, hidden) = (network.Device, network.Config.HiddenSize);
        string? Earlier(string part) => parts.From is { } from && Path.Exists(Path.Combine(from, part)) ? Path.Combine(from, part) : null;
        if (Tokens is not null)
        {
            Signals = Language.TakeMedia(Tokens, mediaTokens: 1);
            Rows = Earlier(RowsFile) is { } rows ? AddedTokenRows.Load(rows, device) : AddedTokenRows.Fresh(network, Tokens.Added.Count, parts.Seed);
            if (Rows.Count != Tokens.Added.Count)
            {
                throw new InvalidDataException($"{parts.From} has {Rows.Count} added rows, {Tokens.Added.Count} were expected; it is of other tokens.");
            }

            network.Use(Rows);
        }

        if (Earlier(InputFile) is { } input)
        {
            using var source = SafetensorsFile.Open(input);
            Input = InputProjection.Load(source, KindOf(source), device: device);
        }
        else if (parts.FeatureSize is { } features)
        {
            Input = parts.InputWidth > 0
                ? InputProjection.Mlp([features, parts.InputWidth, hidden], device, seed: parts.Seed + 1)
                : InputProjection.Linear(features, hidden, device, seed: parts.Seed + 1);
        }

        if (Input is not null && (Input.HiddenSize != hidden || Input.FeatureSize != (parts.FeatureSize ?? Input.FeatureSize)))
        {
            throw new InvalidDataException(
                $"The input projection turns {Input.FeatureSize} into {Input.HiddenSize} numbers, {parts.FeatureSize} into {hidden} were expected; "
                + "it was trained for another encoder or language model.");
        }

        foreach (var kind in Enum.GetValues<MediaKind>())
        {
            MakeOutput(kind, parts.Outputs.GetValueOrDefault(kind), Earlier(OutputFile(kind)), parts.Seed + 2 + (int)kind);
        }

        Adapter = Earlier(AdapterFolder) is { } adapter ? LoraAdapter.Load(adapter, network)
            : stage.Adapter is { } settings ? LoraAdapter.Create(network, settings, parts.Seed)
            : null;
        Adapter?.Attach(network);
    }

    private void MakeOutput(MediaKind kind, OutputProjectionConfig? wanted, string? earlier, long seed)
    {
        var network = Language.Network;
        if (earlier is null)
        {
            if (wanted is not null)
            {
                _outputs.Add(kind, new OutputProjection(wanted, network.Device, seed: seed));
            }

            return;
        }

        using var source = SafetensorsFile.Open(earlier);
        var made = OutputProjection.Load(source, wanted?.Heads ?? new OutputPart { Kind = kind, Decoder = "", Projection = "" }.Heads, network.Device);
        _outputs.Add(kind, made);
        var expected = wanted ?? made.Config;
        if (made.Config.InputSize != network.Config.HiddenSize || (made.Config.Queries, made.Config.OutputSize) != (expected.Queries, expected.OutputSize))
        {
            throw new InvalidDataException(
                $"{earlier} turns {made.Config.InputSize} into {made.Config.Queries} x {made.Config.OutputSize} numbers, {network.Config.HiddenSize} into "
                + $"{expected.Queries} x {expected.OutputSize} were expected; it was trained for another decoder or language model.");
        }
    }
}
