using System.Globalization;
using System.Text;
using System.Text.Json;
using NextGpt.Model.Weights;
using static TorchSharp.torch;

namespace NextGpt.Model.Tests;

/// <summary>
/// Numbers of a reference implementation (<c>Goldens/NAME</c>): inputs <c>in.*</c>, intermediates <c>mid.*</c> and results
/// <c>out.*</c> in <c>io.safetensors</c>, weights in <c>model.safetensors</c>, tolerance in <c>fixture.json</c>.
/// </summary>
/// <remarks>
/// Typical use: open, load the weights, <see cref="Watch"/> the network, run it, <see cref="AssertClose(string, Tensor)"/>.
/// A failure names the first intermediate that is off, in the order in which the network made them.
/// </remarks>
internal sealed class GoldenFixture : IDisposable
{
    private readonly JsonDocument _facts;
    private readonly List<(string Name, long[] Shape, float[] Values)> _recorded = [];
    private JsonDocument? _config;
    private SafetensorsFile? _model;

    private GoldenFixture(string folder)
    {
        Folder = folder;
        _facts = JsonDocument.Parse(File.ReadAllBytes(PathOf("fixture.json")));
        Io = SafetensorsFile.Open(PathOf("io.safetensors"));
        if (_facts.RootElement.TryGetProperty("tolerance", out var tolerance)
            && tolerance.TryGetProperty("atol", out var atol))
        {
            AbsoluteTolerance = atol.GetDouble();
            RelativeTolerance = tolerance.GetProperty("rtol").GetDouble();
        }
    }

    public string Folder { get; }

    /// <summary>Every input, intermediate and result.</summary>
    public SafetensorsFile Io { get; }

    /// <summary>The weights, <c>model.safetensors</c>; owned by the fixture.</summary>
    public SafetensorsFile Model => _model ??= SafetensorsFile.Open(PathOf("model.safetensors"));

    /// <summary><c>config.json</c>.</summary>
    public JsonElement Config => (_config ??= JsonDocument.Parse(File.ReadAllBytes(PathOf("config.json")))).RootElement;

    /// <summary><c>fixture.json</c>: tolerance, notes, hyperparameters.</summary>
    public JsonElement Facts => _facts.RootElement;

    public double AbsoluteTolerance { get; }

    public double RelativeTolerance { get; }

    public static GoldenFixture Open(string name) => new(Path.Combine(AppContext.BaseDirectory, "Goldens", name));

    public string PathOf(string file) => Path.Combine(Folder, file);

    public float[] Floats(string name)
    {
        var values = new float[Io.Tensors[name].Count];
        Io.Read(name, values);
        return values;
    }

    public long[] Integers(string name)
    {
        var values = new long[Io.Tensors[name].Count];
        Io.ReadIntegers(name, values);
        return values;
    }

    /// <summary>A tensor of <see cref="Io"/>: int64 if it is stored as whole numbers, else float32; owned by the caller.</summary>
    public Tensor Tensor(string name)
    {
        long[] shape = [.. Io.Tensors[name].Shape];
        return Io.TypeOf(name) is SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.F64
            ? tensor(Floats(name), shape)
            : tensor(Integers(name), shape);
    }

    /// <summary>Keeps an intermediate result for the diagnosis of a later failure; the first one of a name counts.</summary>
    public void Record(string name, Tensor actual)
    {
        if (_recorded.All(record => record.Name != name))
        {
            _recorded.Add((name, actual.shape, Values(actual)));
        }
    }

    /// <summary>
    /// Records what each submodule returns whose path in the network is the name of an intermediate
    /// (<c>layers.0.mlp</c> for <c>mid.layers.0.mlp</c>). Dispose to stop. Submodules with up to three inputs are seen.
    /// </summary>
    /// <param name="root">The network.</param>
    /// <param name="prefix">Dropped from the start of a path, for example <c>model.</c>.</param>
    /// <param name="below">Put between <c>mid.</c> and the path, for example <c>t981.</c>.</param>
    public IDisposable Watch(nn.Module root, string prefix = "", string below = "")
    {
        _recorded.Clear();
        var watch = new HookList();
        foreach (var (path, module) in root.named_modules())
        {
            var name = "mid." + below + (path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : path);
            if (!Io.Tensors.ContainsKey(name))
            {
                continue;
            }

            for (var type = module.GetType(); type is not null; type = type.BaseType)
            {
                var inputs = type.IsGenericType ? type.GenericTypeArguments : [];
                if (inputs.Length is >= 2 and <= 4 && type.Namespace == "TorchSharp" && inputs[^1] == typeof(Tensor)
                    && type.Name.StartsWith("Module`", StringComparison.Ordinal))
                {
                    GetType().GetMethod("Hook" + (inputs.Length - 1))!.MakeGenericMethod(inputs[..^1])
                        .Invoke(this, [watch, name, module]);
                }
            }
        }

        return watch;
    }

    /// <summary>Compares with a result at the fixture's tolerance: |got − want| ≤ atol + rtol · |want|.</summary>
    public void AssertClose(string name, Tensor actual) =>
        AssertClose(name, actual, AbsoluteTolerance, RelativeTolerance);

    /// <summary>Compares with a result at a tolerance of its own.</summary>
    public void AssertClose(string name, Tensor actual, double absolute, double relative)
    {
        var problem = Compare(name, actual.shape, Values(actual), absolute, relative);
        if (problem is null)
        {
            return;
        }

        var first = _recorded
            .Select(record => Compare(record.Name, record.Shape, record.Values, absolute, relative))
            .FirstOrDefault(found => found is not null);
        Assert.Fail(problem + (first is not null ? $"\nFirst intermediate off: {first}"
            : _recorded.Count > 0 ? $"\nAll {_recorded.Count} recorded intermediates agree (last: {_recorded[^1].Name})."
            : "\nNo intermediates were recorded."));
    }

    /// <summary>Every recorded intermediate must agree, and there must be some.</summary>
    public void AssertRecordedClose()
    {
        Assert.NotEmpty(_recorded);
        var problems = _recorded
            .Select(record => Compare(record.Name, record.Shape, record.Values, AbsoluteTolerance, RelativeTolerance))
            .Where(found => found is not null);
        Assert.Empty(problems);
    }

    public void Dispose()
    {
        Io.Dispose();
        _model?.Dispose();
        _config?.Dispose();
        _facts.Dispose();
    }

    public void Hook1<T1>(HookList watch, string name, nn.Module<T1, Tensor> module) =>
        watch.Add(module.register_forward_hook((_, _, result) => Recorded(name, result)).remove);

    public void Hook2<T1, T2>(HookList watch, string name, nn.Module<T1, T2, Tensor> module) =>
        watch.Add(module.register_forward_hook((_, _, _, result) => Recorded(name, result)).remove);

    public void Hook3<T1, T2, T3>(HookList watch, string name, nn.Module<T1, T2, T3, Tensor> module) =>
        watch.Add(module.register_forward_hook((_, _, _, _, result) => Recorded(name, result)).remove);

    private static float[] Values(Tensor actual)
    {
        using var scope = NewDisposeScope();
        return actual.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
    }

    private Tensor Recorded(string name, Tensor result)
    {
        Record(name, result);
        return result;
    }

    private string? Compare(string name, long[] shape, float[] got, double absolute, double relative)
    {
        if (!Io.Tensors.TryGetValue(name, out var info))
        {
            return $"{name}: the fixture has no such tensor.";
        }

        if (!info.Shape.SequenceEqual(shape))
        {
            return $"{name}: shape [{string.Join(", ", shape)}], expected [{string.Join(", ", info.Shape)}].";
        }

        var want = Floats(name);
        var (off, worst, worstAt) = (0, -1.0, 0);
        for (var i = 0; i < want.Length; i++)
        {
            var error = Math.Abs((double)got[i] - want[i]);
            error = double.IsNaN(error) && !(float.IsNaN(got[i]) && float.IsNaN(want[i])) ? double.PositiveInfinity : error;
            off += error > absolute + (relative * Math.Abs(want[i])) ? 1 : 0;
            (worst, worstAt) = error > worst ? (error, i) : (worst, worstAt);
        }

        return off == 0 ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {off} of {want.Length} elements off; worst by {worst:g4} at {Index(worstAt, shape)} "
            + $"(got {got[worstAt]:g7}, want {want[worstAt]:g7}).");
    }

    private static string Index(int flat, long[] shape)
    {
        var index = new StringBuilder("]");
        for (var dimension = shape.Length - 1; dimension >= 0; dimension--)
        {
            index.Insert(0, (dimension > 0 ? ", " : "") + (flat % (int)shape[dimension]).ToString(CultureInfo.InvariantCulture));
            flat /= (int)shape[dimension];
        }

        return index.Insert(0, '[').ToString();
    }

    /// <summary>Hooks to take off again.</summary>
    internal sealed class HookList : IDisposable
    {
        private readonly List<Action> _removals = [];

        public void Add(Action removal) => _removals.Add(removal);

        public void Dispose() => _removals.ForEach(removal => removal());
    }
}
