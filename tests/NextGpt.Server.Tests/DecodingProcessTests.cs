using Microsoft.Extensions.DependencyInjection;
using NextGpt.Media;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Tests;

public sealed class DecodingProcessTests
{
    [Fact]
    public async Task THR_7_The_program_decodes_files_in_a_process_of_itself()
    {
        var command = MediaChildCommand.Of(typeof(CommandLine).Assembly);
        await using var provider = new ServiceCollection().AddNextGptMedia(command).BuildServiceProvider();
        var picture = new Picture(40, 30, [.. Enumerable.Range(0, 3_600).Select(i => (byte)i)]);
        var mark = new GenerationMark("mini", new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));
        var file = await provider.GetRequiredService<IMediaWriter>().WriteAsync(picture, mark);

        var read = await provider.GetRequiredService<IMediaReader>().ReadAsync(file.Bytes);

        Assert.Equal("nextgpt", Path.GetFileNameWithoutExtension(command.Program));
        Assert.Equal(picture.Pixels, Assert.IsType<Picture>(read.Medium).Pixels);
    }
}
