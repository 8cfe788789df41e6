using System.Text.Json.Nodes;
using NextGpt.Media;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests.Commands;

/// <summary>AID-1: <c>model detect</c> as a person types it.</summary>
public sealed class DetectCommandTests : IDisposable
{
    private static readonly GenerationMark Mark = new("mini & more", new DateTimeOffset(2026, 11, 2, 9, 30, 0, TimeSpan.Zero));
    private readonly string _folder = Directory.CreateTempSubdirectory("nextgpt-detect-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AID_1_a_file_of_ours_is_known_with_its_model_and_date_and_the_same_file_without_the_mark_is_not()
    {
        var sound = WaveFile.Write(new AudioClip { SampleRateHz = 16_000, Channels = [new float[400]] });
        var ours = Write("ours.wav", MediaMarks.Add(sound, Mark));
        var plain = Write("plain.wav", sound);

        var known = await RunAsync("model", "detect", ours);
        var unknown = await RunAsync("model", "detect", plain);
        var both = await RunAsync("model", "detect", ours, plain, "--json");

        Assert.Equal(ExitCode.Done, known.Code);
        Assert.Contains("made by the model mini & more on 2026-11-02.", known.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, unknown.Code);
        Assert.Contains("plain.wav: no mark of ours.", unknown.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, both.Code);
        var json = JsonNode.Parse(both.Output)!;
        Assert.False((bool)json["all_marked"]!);
        Assert.Equal("mini & more", (string?)json["files"]![0]!["model"]);
        Assert.Equal("2026-11-02T09:30:00Z", (string?)json["files"]![0]!["created_at"]);
        Assert.Equal((false, null), ((bool)json["files"]![1]!["marked"]!, (string?)json["files"]![1]!["model"]));
    }

    [Fact]
    public async Task AID_1_a_file_that_is_not_there_is_a_wrong_question()
    {
        var (_, error, code) = await RunAsync("model", "detect", Path.Combine(_folder, "none.png"));

        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("There is no file", error, StringComparison.Ordinal);
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static async Task<(string Output, string Error, int Code)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await CommandLine.RunAsync(arguments, new Surroundings { Input = Stream.Null, Output = output, Error = error });
        return (output.ToString(), error.ToString(), code);
    }
}
