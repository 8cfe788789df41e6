using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Bot;

namespace NextGpt.Bots.Teams.Tests.Counterparts;

/// <summary>The two readers find what is wrong; every test that runs the bot asks them about everything it sent.</summary>
public sealed class SchemaOracleTests
{
    [Theory]
    [InlineData("""{"text":"x"}""", "type")]
    [InlineData("""{"type":"message","attachments":[{"content":{}}]}""", "contentType")]
    [InlineData("""{"type":"message","from":{"id":"b","name":null}}""", "name")]
    [InlineData(
        """{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","version":"1.5","body":[{"type":"Blink"}]}}]}""",
        "Unknown element type")]
    public async Task A_malformed_activity_or_card_is_found(string activity, string word)
    {
        NodeProgram.SkipUnlessInstalled();

        Assert.Contains(word, await SchemaOracle.AskAsync(JsonNode.Parse(activity)!.AsObject()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_card_of_ours_is_read_without_a_fault()
    {
        NodeProgram.SkipUnlessInstalled();
        var file = new OfferedFile("1", "sound-1.wav", "audio/wav", new byte[2_000_000], "p", "c") { Caption = "a bell" };
        var to = new ReplyAddress(
            "https://smba.trafficmanager.net/emea", "c", null, "msteams", new ChannelAccount("28:bot", null, null),
            new ChannelAccount("29:p", null, "p"));

        await SchemaOracle.CheckAsync(((JsonObject[])
        [
            Cards.Picture("https://bot.example.org/1", "a heron", "https://bot.example.org/1"),
            Cards.Linked(file, Media.MediaKind.Audio, "https://bot.example.org/1"),
            Cards.Linked(file, Media.MediaKind.Video, "https://bot.example.org/1"),
            Cards.Offer(file),
            Cards.Delivered("sound-1.wav", "https://x.sharepoint.com/f", "1", "wav"),
            Cards.Switches("Hello.", keep: false, train: true, 180, "mark"),
        ]).Select(card => OutgoingActivity.Card(card).ToJson(to)));
    }
}
