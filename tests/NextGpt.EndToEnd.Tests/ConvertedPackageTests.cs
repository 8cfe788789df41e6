using Microsoft.Extensions.AI;
using NextGpt.EndToEnd.Tests.Checkpoints;
using NextGpt.Media;
using NextGpt.Model.Conversion;
using NextGpt.Model.Packages;

namespace NextGpt.EndToEnd.Tests;

/// <summary>Published checkpoints, converted, loaded and asked: files in, text and files of every kind out.</summary>
public sealed class ConvertedPackageTests(ConvertedPackages packages) : IClassFixture<ConvertedPackages>
{
    private static readonly MediaKind[] AllKinds = [MediaKind.Image, MediaKind.Audio, MediaKind.Video];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CLI_1_a_converted_package_hears_and_sees_and_answers_with_a_picture_a_sound_and_a_clip(bool second)
    {
        var folder = packages.Of(second);
        Assert.Empty(ModelPackage.Open(folder).Verify());
        await using var model = new AssembledModel(folder);
        Assert.Equal(AllKinds, model.Thread.Abilities.Reads);
        Assert.Equal(AllKinds, model.Thread.Abilities.Makes);
        var question = await model.QuestionAsync();

        var answer = await model.Client.GetResponseAsync([question], AssembledModel.Everything());
        var other = await model.Client.GetResponseAsync([new ChatMessage(ChatRole.User, "look and hear and see")], AssembledModel.Everything());

        Assert.Empty(model.Thread.Status.Lost);
        Assert.NotEqual("", answer.Text);
        Assert.NotEqual(answer.Text, other.Text);   // what was sent changes what is said
        Assert.Equal(second ? "tiny-v2" : "tiny-v0", answer.ModelId);
        var media = await model.ReadAsync(answer);
        Assert.Equal(AllKinds, media.Select(one => one.Medium.Medium.Kind).Distinct().Order());   // v2 may make several of a kind
        Assert.All(media, one => Assert.Equal(second ? "tiny-v2" : "tiny-v0", one.Mark?.ModelId));
        var made = media.Select(one => one.Medium.Medium).ToList();
        Assert.All(made.OfType<Picture>(), picture => Assert.True(picture.Pixels.Distinct().Count() > 8));
        Assert.Equal(2, made.OfType<VideoClip>().First().Frames.Count);
        Assert.InRange(made.OfType<AudioClip>().First().Duration.TotalSeconds, 0.28, 0.32);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TRN_8_streamed_again_under_the_same_seed_the_files_have_the_same_bytes(bool second)
    {
        await using var model = new AssembledModel(packages.Of(second));
        var question = await model.QuestionAsync();

        var whole = await model.Client.GetResponseAsync([question], AssembledModel.Everything());
        var streamed = await model.Client.GetStreamingResponseAsync([question], AssembledModel.Everything()).ToChatResponseAsync();
        var other = await model.Client.GetResponseAsync([question], AssembledModel.Everything(seed: 4));

        Assert.Equal(FilesOf(whole), FilesOf(streamed));
        Assert.Equal(whole.Text, streamed.Text);
        Assert.NotEqual(FilesOf(whole), FilesOf(other));

        static List<string> FilesOf(ChatResponse response) => response.Messages.SelectMany(message => message.Contents)
            .OfType<ErrorContent>().FirstOrDefault() is { } lost ? throw new InvalidOperationException(lost.Message) : [.. response.Messages.SelectMany(message => message.Contents)
            .OfType<DataContent>().Select(data => Convert.ToBase64String(data.Data.Span))];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_converted_package_fits_and_each_part_is_in_the_report(bool second)
    {
        var report = PackageFit.Estimate(ModelPackage.Open(packages.Of(second)), "cpu", 1L << 30, contextTokens: 512);

        Assert.Equal(FitVerdict.Whole, report.Verdict);
        Assert.All(["language", "encoder", "image", "audio", "video"], name =>
            Assert.Contains(report.Parts, part => part.Name.Contains(name, StringComparison.Ordinal) && part.Parameters > 1_000));
    }

    /// <summary>Leaves both packages in the folder that NEXTGPT_PACKAGES names, to start the program with.</summary>
    [Fact(Explicit = true)]
    public void Packages_to_try_by_hand()
    {
        var folder = Environment.GetEnvironmentVariable("NEXTGPT_PACKAGES")
            ?? throw new InvalidOperationException("Name a folder in NEXTGPT_PACKAGES.");
        PublishedCheckpoints.Convert(Path.Combine(folder, "tiny-v0"), second: false);
        PublishedCheckpoints.Convert(Path.Combine(folder, "tiny-v2"), second: true);
    }
}
