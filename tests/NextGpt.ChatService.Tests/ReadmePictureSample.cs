// <sample>
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.TextToImage;

// </sample>
namespace Readme;

/// <summary>The sample of the README that draws a picture and saves it, compiled and run as printed (SKP-1).</summary>
internal static class ReadmePictureSample
{
    /// <summary>Runs it.</summary>
    /// <param name="kernel">Made as in the sample before.</param>
    public static async Task RunAsync(Kernel kernel)
    {
        // <sample>
        var painter = kernel.GetRequiredService<ITextToImageService>();
        var pictures = await painter.GetImageContentsAsync(new TextContent("a red apple on a table"));
        await File.WriteAllBytesAsync("apple.png", pictures[0].Data!.Value.ToArray());
        // </sample>
    }
}
