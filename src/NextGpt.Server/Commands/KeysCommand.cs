using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using NextGpt.Server.Endpoints;
using NextGpt.Server.Instance;
using NextGpt.Server.Keys;

namespace NextGpt.Server.Commands;

/// <summary><c>keys add|list|revoke</c>, through the running server or on the file of keys, never both (CLI-2, API-3).</summary>
internal static class KeysCommand
{
    public static Command Create(Surroundings surroundings, SharedOptions shared) => new("keys", "Keys of the HTTP API.")
    {
        CreateAdd(surroundings, shared),
        CreateList(surroundings, shared),
        CreateRevoke(surroundings, shared),
    };

    private static Command CreateAdd(Surroundings surroundings, SharedOptions shared)
    {
        var name = new Argument<string>("name") { Description = "What to call it." };
        var scopes = new Option<string[]>("--scope")
        {
            Description = $"What it may be used for: {string.Join(", ", Scope.All)}.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        scopes.AcceptOnlyFromAmong([.. Scope.All]);
        var days = new Option<int?>("--days") { Description = "Days until it expires; without it never." };
        var add = new Command("add", "Make a key; its text is shown once.") { name, scopes, days };
        add.SetAction((parsed, cancellationToken) => RunAsync(surroundings, shared, parsed, async desk =>
        {
            DateTimeOffset? expires = parsed.GetValue(days) is { } count
                ? surroundings.Time.GetUtcNow() + TimeSpan.FromDays(count)
                : null;
            if (shared.DryRun(parsed))
            {
                surroundings.Output.WriteLine("A key would be made.");
                return ExitCode.Done;
            }

            var key = await desk.AddAsync(
                parsed.GetRequiredValue(name), parsed.GetRequiredValue(scopes), expires, cancellationToken);
            surroundings.Write(shared.Json(parsed), key, () =>
            [
                $"{key["key"]}",
                $"This is the only time the key is shown. Its id is {key["id"]}; `keys revoke {key["id"]}` ends it.",
            ]);
            return ExitCode.Done;
        }, cancellationToken));
        return add;
    }

    private static Command CreateList(Surroundings surroundings, SharedOptions shared)
    {
        var list = new Command("list", "List the keys, without their secrets.");
        list.SetAction((parsed, cancellationToken) => RunAsync(surroundings, shared, parsed, async desk =>
        {
            var keys = await desk.ListAsync(cancellationToken);
            surroundings.Write(shared.Json(parsed), keys, () =>
                keys["keys"] is JsonArray { Count: > 0 } all
                    ? all.Select(key => $"{key?["id"]}  {key?["name"]}  {string.Join(',', (key?["scopes"] as JsonArray ?? [])
                        .Select(scope => scope?.ToString()))}  {StateOf(key)}")
                    : ["There are no keys."]);
            return ExitCode.Done;
        }, cancellationToken));
        return list;
    }

    private static Command CreateRevoke(Surroundings surroundings, SharedOptions shared)
    {
        var id = new Argument<string>("id") { Description = "The key's id, as `keys list` shows it." };
        var revoke = new Command("revoke", "End a key at once.") { id };
        revoke.SetAction((parsed, cancellationToken) => RunAsync(surroundings, shared, parsed, async desk =>
        {
            var name = parsed.GetRequiredValue(id);
            if (shared.DryRun(parsed))
            {
                surroundings.Output.WriteLine($"The key {name} would end.");
                return ExitCode.Done;
            }

            if (!await desk.RevokeAsync(name, cancellationToken))
            {
                throw new CommandFailure(
                    ExitCode.Failed, $"There is no working key {name}; `nextgpt keys list` shows what there is.");
            }

            surroundings.Write(shared.Json(parsed), new JsonObject { ["revoked"] = name }, () => [$"The key {name} has ended."]);
            return ExitCode.Done;
        }, cancellationToken));
        return revoke;
    }

    private static string StateOf(JsonNode? key) =>
        key?["revoked"] is { } revoked ? $"revoked {revoked}"
        : key?["expires"] is { } expires ? $"expires {expires}, last used {key["last_used"]?.ToString() ?? "never"}"
        : $"last used {key?["last_used"]?.ToString() ?? "never"}";

    private static async Task<int> RunAsync(
        Surroundings surroundings, SharedOptions shared, ParseResult parsed, Func<IKeyDesk, Task<int>> act,
        CancellationToken cancellationToken)
    {
        var folder = SharedOptions.FolderOf(shared.CheckedSettings(parsed));
        if (await RunningServer.FindAsync(folder, cancellationToken) is { } server)
        {
            using var client = server.Connect();
            return await act(new RemoteKeyDesk(client));
        }

        using var held = DataLock.Take(folder);
        return await act(new LocalKeyDesk(new KeyStore(folder, surroundings.Time)));
    }

    /// <summary>Keys of the running server or of the file.</summary>
    private interface IKeyDesk
    {
        Task<JsonObject> AddAsync(
            string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, CancellationToken cancellationToken);

        Task<JsonObject> ListAsync(CancellationToken cancellationToken);

        Task<bool> RevokeAsync(string id, CancellationToken cancellationToken);
    }

    private sealed class LocalKeyDesk(KeyStore store) : IKeyDesk
    {
        public Task<JsonObject> AddAsync(
            string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, CancellationToken cancellationToken)
        {
            try
            {
                var (key, text) = store.Add(name, scopes, expires);
                return Task.FromResult(KeyEndpoints.ToJson(key, text));
            }
            catch (ArgumentException wrong)
            {
                throw new CommandFailure(ExitCode.Usage, KeyEndpoints.SentenceOf(wrong));
            }
        }

        public Task<JsonObject> ListAsync(CancellationToken cancellationToken) => Task.FromResult(
            new JsonObject { ["keys"] = new JsonArray([.. store.List().Select(key => KeyEndpoints.ToJson(key))]) });

        public Task<bool> RevokeAsync(string id, CancellationToken cancellationToken) => Task.FromResult(store.Revoke(id));
    }

    private sealed class RemoteKeyDesk(HttpClient client) : IKeyDesk
    {
        public async Task<JsonObject> AddAsync(
            string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, CancellationToken cancellationToken)
        {
            using var answer = await client.PostAsJsonAsync(
                "/api/keys",
                new JsonObject
                {
                    ["name"] = name,
                    ["scopes"] = new JsonArray([.. scopes.Select(scope => JsonValue.Create(scope))]),
                    ["expires"] = expires?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
                },
                cancellationToken);
            return await ServerAnswer.ReadAsync(answer, cancellationToken);
        }

        public async Task<JsonObject> ListAsync(CancellationToken cancellationToken)
        {
            using var answer = await client.GetAsync(new Uri("/api/keys", UriKind.Relative), cancellationToken);
            return await ServerAnswer.ReadAsync(answer, cancellationToken);
        }

        public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken)
        {
            using var answer = await client.DeleteAsync(
                new Uri($"/api/keys/{Uri.EscapeDataString(id)}", UriKind.Relative), cancellationToken);
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                return false;
            }

            await ServerAnswer.ThrowIfFailedAsync(answer, cancellationToken);
            return true;
        }
    }
}
