using System.Runtime.CompilerServices;

namespace NextGpt.ChatService.Tests;

public sealed class ReadmeSampleTests
{
    [Fact]
    public async Task SKP_1_the_sample_of_the_readme_runs_as_printed_and_streams_an_answer()
    {
        using var console = new StringWriter();

        await Readme.ReadmeSample.RunAsync(console);

        Assert.Equal("The capital of France is Paris.", console.ToString());
    }

    [Fact]
    public async Task SKP_1_the_sample_that_draws_a_picture_saves_one()
    {
        using var chat = new ToyChat(ScriptedArtist.Create());

        await Readme.ReadmePictureSample.RunAsync(chat.Kernel);

        var file = await File.ReadAllBytesAsync("apple.png", TestContext.Current.CancellationToken);
        Assert.Equal(NextGpt.Media.MediaFormat.Png, NextGpt.Media.MediaFormat.Sniff(file));
        File.Delete("apple.png");
    }

    [Theory]
    [InlineData("ReadmeSample.cs")]
    [InlineData("ReadmePictureSample.cs")]
    public void SKP_1_the_readme_prints_what_is_compiled_here(string file)
    {
        var sample = Sample(file);
        Assert.InRange(sample.Count(line => line.Length > 0), 5, 12);

        var readme = Path.Combine(RepositoryRoot(), "README.md");
        Assert.SkipUnless(File.Exists(readme), "The README is not written yet.");
        Assert.Contains(string.Join('\n', sample), File.ReadAllText(readme).ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    /// <summary>The lines between the marks, without the indent of the method.</summary>
    private static List<string> Sample(string file)
    {
        List<string> lines = [];
        var inside = false;
        foreach (var line in File.ReadLines(Path.Combine(Path.GetDirectoryName(ThisFile())!, file)))
        {
            if (line.Trim() is "// <sample>" or "// </sample>")
            {
                inside = line.Trim() == "// <sample>";
            }
            else if (inside)
            {
                lines.Add(line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line);
            }
        }

        return lines;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(ThisFile())!);
        while (!File.Exists(Path.Combine(folder.FullName, "NextGpt.Chat.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
