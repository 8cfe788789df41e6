using System.Runtime.InteropServices;
using System.Text.Json;

namespace NextGpt.Media.Tests;

/// <summary>Float tensors of a golden's <c>io.safetensors</c>; this project knows no network, so it reads them itself.</summary>
internal sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly JsonElement _header;
    private readonly int _dataStart;

    public GoldenTensors(string fixture)
    {
        _file = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Goldens", fixture, "io.safetensors"));
        var headerLength = (int)BitConverter.ToInt64(_file, 0);
        _header = JsonDocument.Parse(_file.AsMemory(8, headerLength)).RootElement;
        _dataStart = 8 + headerLength;
    }

    public float[] Read(string name)
    {
        var entry = _header.GetProperty(name);
        Assert.Equal("F32", entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets");
        var (from, to) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        return MemoryMarshal.Cast<byte, float>(_file.AsSpan(_dataStart + from, to - from)).ToArray();
    }
}
