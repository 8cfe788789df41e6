using System.Globalization;
using System.Text.Json.Nodes;
using NextGpt.Host;
using NextGpt.Server.Guards;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Endpoints;

/// <summary>The keys of the API, for administrators.</summary>
internal static class KeyEndpoints
{
    /// <summary>Maps <c>/api/keys</c>.</summary>
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/keys").WithMetadata(new NeedsScope(Scope.Admin));
        keys.MapGet("", (KeyStore store) => Results.Json(
            new JsonObject { ["keys"] = new JsonArray([.. store.List().Select(key => ToJson(key))]) }))
            .WithName("listKeys").WithSummary("All keys, without their secrets.");
        keys.MapPost("", AddAsync).WithName("addKey").WithSummary("Makes a key; its text is shown this once.")
            .Accepts<JsonObject>("application/json");
        keys.MapDelete("{id}", (KeyStore store, string id) => store.Revoke(id)
                ? Results.NoContent()
                : new ErrorResult(ErrorCatalogue.NoSuchThing.With("working key")))
            .WithName("revokeKey").WithSummary("Ends a key at once.");
    }

    /// <summary>A key without its secret.</summary>
    public static JsonObject ToJson(ApiKey key, string? text = null)
    {
        var json = new JsonObject
        {
            ["id"] = key.Id,
            ["name"] = key.Name,
            ["scopes"] = new JsonArray([.. key.Scopes.Select(scope => JsonValue.Create(scope))]),
            ["created"] = Write(key.Created),
            ["expires"] = Write(key.Expires),
            ["last_used"] = Write(key.LastUsed),
            ["revoked"] = Write(key.Revoked),
        };
        if (text is not null)
        {
            json["key"] = text;
        }

        return json;
    }

    private static async Task<IResult> AddAsync(HttpContext context, KeyStore store)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        using (body)
        {
            if (body is null)
            {
                return new ErrorResult(error ?? ErrorCatalogue.Internal.With());
            }

            try
            {
                var (name, scopes, expires) = Read(body.RootElement);
                var (key, text) = store.Add(name, scopes, expires);
                return Results.Json(ToJson(key, text), statusCode: 201);
            }
            catch (FieldException wrong)
            {
                return new ErrorResult(wrong.Error);
            }
            catch (ArgumentException wrong)
            {
                return new ErrorResult(ErrorCatalogue.InvalidRequest.With(SentenceOf(wrong)));
            }
        }
    }

    /// <summary>The message of an argument error without the parameter's name.</summary>
    public static string SentenceOf(ArgumentException wrong) => wrong.Message.Split(" (Parameter")[0];

    private static (string Name, IReadOnlyList<string> Scopes, DateTimeOffset? Expires) Read(
        System.Text.Json.JsonElement body)
    {
        var fields = new JsonFields(body);
        DateTimeOffset? expires = fields.Text("expires") is not { } text ? null
            : DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var instant)
                ? instant
                : throw new FieldException("expires", "expires must be a date and time such as 2027-01-31T00:00:00Z.");
        return (fields.Text("name") ?? "", fields.Texts("scopes"), expires);
    }

    private static string? Write(DateTimeOffset? instant) =>
        instant?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
