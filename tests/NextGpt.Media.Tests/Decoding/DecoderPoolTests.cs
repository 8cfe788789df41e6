using System.Diagnostics;
using ImageMagick;

namespace NextGpt.Media.Tests.Decoding;

/// <summary>What a decoding process may do, and what becomes of one that misbehaves.</summary>
public sealed class DecoderPoolTests
{
    private static readonly byte[] File = MediaStand.Encode(MediaStand.Gradient(64, 64), MagickFormat.Png);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task THR_7_A_decoder_has_no_network_a_bounded_memory_no_other_coder_and_no_secret()
    {
        Environment.SetEnvironmentVariable("NEXTGPT_SECRET_PROBE", "planted");
        using var reader = MediaStand.NewReader(new MediaFileOptions());

        var words = await reader.ProbeAsync(Token);

        var system = OperatingSystem.IsLinux() ? "socket:refused memory:refused file:refused " : "";
        Assert.StartsWith(system, words, StringComparison.Ordinal);
        Assert.EndsWith("coder:refused secret:hidden", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mute", MediaProblem.Unsupported, "does not start")]
    [InlineData("liar", MediaProblem.Corrupt, "cannot be decoded")]
    public async Task THR_7_A_program_that_is_no_decoder_or_lies_is_not_believed(string word, MediaProblem problem, string said)
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions(), MediaStand.ChildWith(word));

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(File, cancellationToken: Token));

        Assert.Equal(problem, refusal.Problem);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task THR_7_A_decoder_that_takes_too_long_is_killed_and_the_file_is_damaged()
    {
        using var reader = MediaStand.NewReader(
            new MediaFileOptions { DecodeTimeout = TimeSpan.FromSeconds(0.5) }, MediaStand.ChildWith("stuck"));

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(File, "a.png", Token));

        Assert.Equal(MediaProblem.Corrupt, refusal.Problem);
        Assert.Equal("a.png could not be decoded within 0.5 s; send a smaller or shorter one.", refusal.Message);
    }

    [Fact]
    public async Task THR_7_A_decoder_is_killed_when_its_reader_gives_up()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Decoders = 1 }, MediaStand.ChildWith("stuck"));
        using var stop = new CancellationTokenSource();
        var before = Children();
        var reading = reader.ReadAsync(File, cancellationToken: stop.Token);
        var mine = Children().Except(before).ToList();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.All(mine, id => Assert.True(IsGone(id)));
    }

    [Fact]
    public async Task THR_7_A_decoder_that_dies_while_idle_is_replaced_and_nobody_notices()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Decoders = 1 });
        await reader.ReadAsync(File, cancellationToken: Token);
        Assert.NotNull(reader.IdleDecoder);
        using (var idle = Process.GetProcessById((int)reader.IdleDecoder))
        {
            idle.Kill();
            await idle.WaitForExitAsync(Token);
        }

        Assert.IsType<Picture>((await reader.ReadAsync(File, cancellationToken: Token)).Medium);
    }

    [Fact]
    public async Task A_decoder_is_kept_warm_and_replaced_after_its_number_of_files_or_a_damaged_one()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Decoders = 1, FilesPerDecoder = 3 });
        var used = new List<int?>();
        for (var i = 0; i < 4; i++)
        {
            await reader.ReadAsync(File, cancellationToken: Token);
            used.Add(reader.IdleDecoder);
        }

        var damaged = File.ToArray();
        damaged.AsSpan(damaged.Length / 2, 40).Fill(0x55);
        await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(damaged, cancellationToken: Token));

        Assert.Equal(used[0], used[1]);      // the third file ended it, the spare one did the fourth
        Assert.NotEqual(used[1], used[2]);
        Assert.Equal(used[2], used[3]);
        Assert.NotEqual(used[3], reader.IdleDecoder);
    }

    [Fact(Explicit = true)]
    public async Task How_long_a_picture_takes_cold_after_a_spare_start_and_warm()
    {
        var large = MediaStand.Encode(MediaStand.Gradient(1_024, 768), MagickFormat.Jpeg);
        using var reader = MediaStand.NewReader(new MediaFileOptions { Decoders = 1 });
        var times = new List<double>();
        foreach (var file in new[] { File, File, File, File, large, large, large, large })
        {
            var watch = Stopwatch.StartNew();
            await reader.ReadAsync(file, cancellationToken: Token);
            times.Add(watch.Elapsed.TotalMilliseconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(" ", times.Select(time => time.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture))) + " ms");
        Assert.True(times[3] < times[0]);
    }

    [Fact]
    public async Task Many_files_at_once_are_all_read_by_few_decoders()
    {
        using var reader = MediaStand.NewReader(new MediaFileOptions { Decoders = 2, DecodeTimeout = TimeSpan.FromMinutes(2) });

        var read = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => reader.ReadAsync(File, cancellationToken: Token)));

        Assert.All(read, medium => Assert.Equal(0, MediaStand.Distance(MediaStand.Gradient(64, 64), (Picture)medium.Medium)));
    }

    [Fact]
    public async Task Without_a_program_to_start_files_are_decoded_here_and_in_the_same_words()
    {
        using var here = new MediaReader(new MediaFileOptions(), Ffmpeg.FfmpegPrograms.Find(null), command: null);

        var read = await here.ReadAsync(File, cancellationToken: Token);
        var refusal = await Assert.ThrowsAsync<MediaException>(() => here.ReadAsync(File.AsMemory(0, 90), cancellationToken: Token));

        Assert.Equal(0, MediaStand.Distance(MediaStand.Gradient(64, 64), (Picture)read.Medium));
        Assert.Equal(MediaProblem.Corrupt, refusal.Problem);
    }

    private static List<int> Children() =>
        [.. Process.GetProcessesByName("NextGpt.Media.C").Concat(Process.GetProcessesByName("NextGpt.Media.ChildTarget")).Select(process => process.Id)];

    private static bool IsGone(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.WaitForExit(TimeSpan.FromSeconds(20));
        }
        catch (ArgumentException)
        {
            return true;
        }
    }
}
