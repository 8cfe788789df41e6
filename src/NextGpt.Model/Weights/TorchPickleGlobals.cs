using System.Collections.Frozen;

namespace NextGpt.Model.Weights;

/// <summary>All classes and functions that a checkpoint may name: those that tensors and containers need.</summary>
internal static class TorchPickleGlobals
{
    /// <summary>What a file with something else is told.</summary>
    public const string Known =
        "only tensors, their storages and element types, lists, tuples, dictionaries, numbers and strings are read, and nothing is ever run";

    private static readonly FrozenDictionary<string, TorchPickleGlobal> Permitted = All()
        .ToFrozenDictionary(global => global.Name, StringComparer.Ordinal);

    /// <summary>The global of that name, or null.</summary>
    public static TorchPickleGlobal? Find(string module, string name) => Permitted.GetValueOrDefault($"{module} {name}");

    private static IEnumerable<TorchPickleGlobal> All()
    {
        yield return new("collections OrderedDict", TorchPickleGlobalKind.OrderedDict);
        yield return new("torch._utils _rebuild_tensor", TorchPickleGlobalKind.RebuildTensor);
        yield return new("torch._utils _rebuild_tensor_v2", TorchPickleGlobalKind.RebuildTensor);
        yield return new("torch._utils _rebuild_tensor_v3", TorchPickleGlobalKind.RebuildTypedTensor);
        yield return new("torch._utils _rebuild_parameter", TorchPickleGlobalKind.RebuildParameter);
        yield return new("torch Size", TorchPickleGlobalKind.Size);
        yield return new("torch device", TorchPickleGlobalKind.Device);
        yield return new("torch.storage UntypedStorage", TorchPickleGlobalKind.UntypedStorage);
        yield return new("torch UntypedStorage", TorchPickleGlobalKind.UntypedStorage);
        (string Class, string[] Words, SafetensorsType Type)[] types =
        [
            ("Float", ["float32", "float"], SafetensorsType.F32),
            ("Half", ["float16", "half"], SafetensorsType.F16),
            ("BFloat16", ["bfloat16"], SafetensorsType.BF16),
            ("Double", ["float64", "double"], SafetensorsType.F64),
            ("Long", ["int64", "long"], SafetensorsType.I64),
            ("Int", ["int32", "int"], SafetensorsType.I32),
            ("Short", ["int16", "short"], SafetensorsType.I16),
            ("Char", ["int8"], SafetensorsType.I8),
            ("Byte", ["uint8"], SafetensorsType.U8),
            ("Bool", ["bool"], SafetensorsType.Bool),
        ];
        foreach (var (name, words, type) in types)
        {
            yield return new($"torch {name}Storage", TorchPickleGlobalKind.Storage, type);
            yield return new($"torch.cuda {name}Storage", TorchPickleGlobalKind.Storage, type);
            foreach (var word in words)
            {
                yield return new($"torch {word}", TorchPickleGlobalKind.ElementType, type);
            }
        }
    }
}
