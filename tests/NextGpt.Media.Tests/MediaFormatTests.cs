namespace NextGpt.Media.Tests;

public sealed class MediaFormatTests
{
    public static TheoryData<string, string?> FirstBytes => new()
    {
        { "89504E470D0A1A0A0000000D49484452", "image/png" },
        { "FFD8FFE000104A464946", "image/jpeg" },
        { "47494638396101000100", "image/gif" },
        { "524946462400000057454250565038", "image/webp" },
        { "524946462400000057415645666D7420", "audio/wav" },
        { "4F67675300020000", "audio/ogg" },
        { "664C614300000022", "audio/flac" },
        { "49443303000000000000", "audio/mpeg" },
        { "FFFB9064000000000000", "audio/mpeg" },
        { "000000186674797069736F6D00000200", "video/mp4" },
        { "00000020667479704D34412000000200", "audio/mp4" },
        { "1A45DFA39F4286810142F7810142F2810442F381084282847765626D", "video/webm" },
        { "504B0304140000000800", null },
        { "49492A0008000000", null },
        { "FFFF", null },
        { "", null },
    };

    [Theory]
    [MemberData(nameof(FirstBytes))]
    public void A_file_is_known_by_its_first_bytes(string hexadecimal, string? mediaType) =>
        Assert.Equal(mediaType, MediaFormat.Sniff(Convert.FromHexString(hexadecimal))?.MediaType);
}
