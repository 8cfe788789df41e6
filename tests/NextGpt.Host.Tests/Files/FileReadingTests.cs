using NextGpt.Host.Files;
using NextGpt.Media;

namespace NextGpt.Host.Tests.Files;

public sealed class FileReadingTests
{
    [Fact]
    public void A_large_picture_is_reduced_by_a_whole_factor_to_the_mean_of_its_pixels()
    {
        var pixels = new byte[4 * 4 * 3];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)(i / 3);   // 0 to 15, all channels alike
        }

        var small = FileReading.Reduce(new Picture(4, 4, pixels), longestSide: 2);

        Assert.Equal((2, 2), (small.Width, small.Height));
        Assert.Equal([3, 3, 3, 5, 5, 5, 11, 11, 11, 13, 13, 13], small.Pixels);   // means 2.5, 4.5, 10.5, 12.5, rounded up
    }

    [Theory]
    [InlineData(1_024, 768, 1_024, 768)]
    [InlineData(1_025, 768, 512, 384)]
    [InlineData(12_000, 16, 1_000, 1)]
    [InlineData(16, 12_000, 1, 1_000)]
    public void A_picture_fits_afterwards_and_keeps_at_least_a_row(int width, int height, int newWidth, int newHeight)
    {
        var small = FileReading.Reduce(new Picture(width, height, new byte[width * height * 3]), 1_024);

        Assert.Equal((newWidth, newHeight), (small.Width, small.Height));
    }
}
