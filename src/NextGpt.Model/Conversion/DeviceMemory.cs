using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace NextGpt.Model.Conversion;

/// <summary>What this machine's devices have.</summary>
public static class DeviceMemory
{
    /// <summary>Asks for a device's memory.</summary>
    /// <param name="device"><c>auto</c> (the first GPU if its driver answers, else the CPU), <c>cpu</c> or <c>cuda:N</c>.</param>
    /// <returns>The device that is meant, and its memory in bytes.</returns>
    /// <exception cref="InvalidOperationException">The device is not there; with what to do.</exception>
    public static (string Device, long Bytes) Of(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device == "cpu")
        {
            return ("cpu", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        }

        var index = device == "auto" ? 0
            : device.StartsWith("cuda:", StringComparison.Ordinal)
                && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new InvalidOperationException($"The device is '{device}'; it must be auto, cpu or cuda:N (for example cuda:0).");
        if (OfGpu(index) is { } bytes)
        {
            return (string.Create(CultureInfo.InvariantCulture, $"cuda:{index}"), bytes);
        }

        return device == "auto"
            ? Of("cpu")
            : throw new InvalidOperationException(
                $"{device} does not answer: nvidia-smi is missing or knows no such GPU. Say --memory GB to plan for one that is elsewhere.");
    }

    /// <summary>The driver's own tool knows without loading libtorch.</summary>
    private static long? OfGpu(int index)
    {
        try
        {
            using var tool = Process.Start(new ProcessStartInfo("nvidia-smi")
            {
                ArgumentList =
                {
                    "--query-gpu=memory.total", "--format=csv,noheader,nounits", $"--id={index.ToString(CultureInfo.InvariantCulture)}",
                },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            var answer = tool?.StandardOutput.ReadToEnd();
            return tool is not null && tool.WaitForExit(TimeSpan.FromSeconds(10)) && tool.ExitCode == 0
                && long.TryParse(answer?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var mebibytes)
                ? mebibytes << 20
                : null;
        }
        catch (Exception missing) when (missing is Win32Exception or IOException)
        {
            return null;
        }
    }
}
