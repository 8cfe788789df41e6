using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace NextGpt.Media.Tests;

public sealed class RegistrationTests
{
    [Fact]
    public async Task Reader_and_writer_are_registered_and_read_each_others_files()
    {
        await using var provider = new ServiceCollection().AddNextGptMedia(MediaStand.Child).BuildServiceProvider();

        var file = await provider.GetRequiredService<IMediaWriter>().WriteAsync(MediaStand.Gradient(40, 30), MediaStand.Mark);
        var read = await provider.GetRequiredService<IMediaReader>().ReadAsync(file.Bytes);

        Assert.Equal(0, MediaStand.Distance(MediaStand.Gradient(40, 30), Assert.IsType<Picture>(read.Medium)));
    }

    [Fact]
    public async Task Settings_of_the_section_reach_the_reader()
    {
        await using var provider = WithSettings(("MaxMegapixels", "1"), ("MaxSide", "1000"));
        var reader = provider.GetRequiredService<IMediaReader>();

        var refusal = await Assert.ThrowsAsync<MediaException>(() => reader.ReadAsync(MediaStand.PngClaiming(1_001, 100)));

        Assert.Contains("the limit is 1 megapixels and 1,000 px a side", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MaxMegapixels", "0")]
    [InlineData("DecoderMegabytes", "5")]
    [InlineData("DecodeTimeout", "01:00:00")]
    [InlineData("MaxSound", "00:00:00")]
    [InlineData("Decoders", "0")]
    public void A_setting_out_of_its_range_is_named(string name, string value)
    {
        using var provider = WithSettings((name, value));

        var refusal = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<MediaFileOptions>>().Value);

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider WithSettings(params (string Name, string Value)[] settings) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => $"NextGpt:Media:{setting.Name}", setting => (string?)setting.Value))
            .Build())
        .AddNextGptMedia(MediaStand.Child)
        .BuildServiceProvider();
}
