using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>
/// Brings pictures, sounds and clips to the person (TEA-2): a picture in a card, a sound or clip by consent in a personal
/// chat, elsewhere behind a link, and where neither works a sentence.
/// </summary>
internal sealed class MediaDelivery(ConnectorClient client, FileTransfer transfer, OfferedFiles offers, TeamsOptions options)
{
    private const int LargestInside = 64 * 1024;         // of a picture inside its card where links can be made
    private const int LargestWithoutLinks = 700 * 1024;   // where they cannot

    /// <summary>Sends one medium of an answer.</summary>
    public async Task SendAsync(
        ReplyAddress to, IncomingActivity activity, MediaFile file, string caption, int index, CancellationToken cancellationToken)
    {
        var word = file.Kind switch { MediaKind.Image => "picture", MediaKind.Audio => "sound", _ => "clip" };
        var name = $"{word}-{index + 1}.{file.Format.Extension}";
        var offer = offers.Add(
            name, file.Format.MediaType, file.Bytes, caption, activity.From.LastingId, activity.ConversationId);
        var link = offers.LinkTo(offer);
        var isSmall = file.Bytes.Length <= (link is null ? LargestWithoutLinks : LargestInside);
        if (file.Kind == MediaKind.Image && (isSmall || link is not null))
        {
            var address = isSmall
                ? $"data:{file.Format.MediaType};base64,{Convert.ToBase64String(file.Bytes.Span)}"
                : link!;
            await SendAsync(to, OutgoingActivity.Card(Cards.Picture(address, caption, link)), cancellationToken);
        }
        else if (activity.IsPersonal && !options.LocalMode)
        {
            await SendAsync(to, OutgoingActivity.Card(Cards.Offer(offer)), cancellationToken);
        }
        else if (link is not null)
        {
            await SendAsync(to, OutgoingActivity.Card(Cards.Linked(offer, file.Kind, link)), cancellationToken);
        }
        else
        {
            offers.Drop(offer.Id);
            await SendAsync(
                to,
                OutgoingActivity.Message(
                    $"A {word} was made ({MessageText.Escape(caption)}), but files cannot be sent here; ask me in our personal chat."),
                cancellationToken);
        }
    }

    /// <summary>Offers a file that is not part of an answer, in a personal chat.</summary>
    public async Task OfferAsync(
        ReplyAddress to, IncomingActivity activity, string name, string mediaType, byte[] bytes, string caption,
        CancellationToken cancellationToken)
    {
        var offer = offers.Add(name, mediaType, bytes, caption, activity.From.LastingId, activity.ConversationId);
        await SendAsync(to, OutgoingActivity.Card(Cards.Offer(offer)), cancellationToken);
    }

    /// <summary>What the person decided about an offered file; each offer counts once.</summary>
    public async Task DecideAsync(IncomingActivity activity, CancellationToken cancellationToken)
    {
        var to = ReplyAddress.Of(activity);
        var value = activity.Value ?? default;
        var offer = value.Text("context", "offer") is { } id ? offers.Take(id, activity.From.LastingId) : null;
        if (offer is null)
        {
            return;   // unknown, somebody else's, too old or decided already
        }

        if (value.Text("action") != "accept")
        {
            offers.Drop(offer.Id);
            await SendAsync(to, OutgoingActivity.Message("All right, the file is dropped."), cancellationToken);
        }
        else if (await transfer.WriteAsync(value.Text("uploadInfo", "uploadUrl"), offer.Bytes, cancellationToken))
        {
            await SendAsync(to, OutgoingActivity.Card(DeliveredCard(value, offer)), cancellationToken);
            offers.Drop(offer.Id);
        }
        else
        {
            offers.Drop(offer.Id);
            await SendAsync(
                to, OutgoingActivity.Message("The file could not be put into your storage; ask for it again."), cancellationToken);
        }

        if (activity.ReplyToId is { } card)
        {
            await client.DeleteAsync(to, card, cancellationToken);
        }
    }

    private static JsonObject DeliveredCard(JsonElement value, OfferedFile offer) => Cards.Delivered(
        value.Text("uploadInfo", "name") ?? offer.Name,
        value.Text("uploadInfo", "contentUrl") ?? "",
        value.Text("uploadInfo", "uniqueId") ?? "",
        value.Text("uploadInfo", "fileType") ?? Path.GetExtension(offer.Name).TrimStart('.'));

    private async Task SendAsync(ReplyAddress to, OutgoingActivity activity, CancellationToken cancellationToken) =>
        await client.SendAsync(to, activity, cancellationToken: cancellationToken);
}
