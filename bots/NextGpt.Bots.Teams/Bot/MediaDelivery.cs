using System.Text.Json;
using System.Text.Json.Nodes;
using NextGpt.Bots.Teams.Activities;
using NextGpt.Bots.Teams.Connector;
using NextGpt.Host;
using NextGpt.Media;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>
/// Brings pictures, sounds and clips to the person (TEA-2): a picture in a card, a sound or clip by consent in a personal
/// chat, elsewhere behind a link, and where neither works a sentence.
/// </summary>
internal sealed class MediaDelivery(
    ConnectorClient client, FileTransfer transfer, OfferedFiles offers, TeamsState state, ConversationShelf shelf, TeamsOptions options)
{
    private const int LargestInside = 64 * 1024;         // of a picture inside its card where links can be made
    private const int LargestWithoutLinks = 700 * 1024;   // where they cannot

    /// <summary>Sends one medium of an answer.</summary>
    public async Task SendAsync(
        ReplyAddress to, IncomingActivity activity, MediaFile file, string caption, int index,
        (ConversationId Conversation, string TurnId)? turn, CancellationToken cancellationToken)
    {
        var word = WordOf(file);
        var offer = offers.Add(
            NameOf(file, index), file.Format.MediaType, file.Bytes, caption, activity.From.LastingId, activity.ConversationId);
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
            if (turn is { } made)
            {
                state.AddOffer(offer.Id, new KnownOffer(
                    offer.PersonId, offer.Conversation, made.Conversation.Value, made.TurnId, index, offer.Until.ToUnixTimeSeconds()));
            }

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
        var id = value.Text("context", "offer") ?? "";
        var known = state.TakeOffer(id, activity.From.LastingId);
        var offer = offers.Take(id, activity.From.LastingId)
            ?? (known is null ? null : await ReadAgainAsync(id, known, cancellationToken));
        if (offer is null)
        {
            if (known is not null)
            {
                await SendAsync(
                    to, OutgoingActivity.Message("The file is not here any more, because nothing of it is kept; ask for it again."),
                    cancellationToken);
            }

            return;   // unknown, somebody else's, too old, decided already, or gone with a restart
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

    /// <summary>A file that was offered before a restart, from the log; null if its turn is not kept.</summary>
    private async Task<OfferedFile?> ReadAgainAsync(string id, KnownOffer known, CancellationToken cancellationToken)
    {
        var turns = await shelf.ReadAsync(
            TeamsBot.Surface, known.Person, new ConversationId(known.RouterConversation), cancellationToken);
        var medium = turns.FirstOrDefault(turn => turn.TurnId == known.TurnId)?.Media
            .Where(static medium => !medium.FromPerson).ElementAtOrDefault(known.Index);
        return medium is not null && shelf.ReadMedium(TeamsBot.Surface, known.Person, medium.MediaId) is { } file
            ? new OfferedFile(id, NameOf(file, known.Index), file.Format.MediaType, file.Bytes, known.Person, known.Conversation)
            { Caption = medium.Caption ?? "" }
            : null;
    }

    private static string NameOf(MediaFile file, int index) => $"{WordOf(file)}-{index + 1}.{file.Format.Extension}";

    private static string WordOf(MediaFile file) =>
        file.Kind switch { MediaKind.Image => "picture", MediaKind.Audio => "sound", _ => "clip" };

    private static JsonObject DeliveredCard(JsonElement value, OfferedFile offer) => Cards.Delivered(
        value.Text("uploadInfo", "name") ?? offer.Name,
        value.Text("uploadInfo", "contentUrl") ?? "",
        value.Text("uploadInfo", "uniqueId") ?? "",
        value.Text("uploadInfo", "fileType") ?? Path.GetExtension(offer.Name).TrimStart('.'));

    private async Task SendAsync(ReplyAddress to, OutgoingActivity activity, CancellationToken cancellationToken) =>
        await client.SendAsync(to, activity, cancellationToken: cancellationToken);
}
