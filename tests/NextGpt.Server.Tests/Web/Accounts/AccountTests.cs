using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using NextGpt.Server.Web;
using NextGpt.Server.Web.Accounts;
using static Microsoft.Playwright.Assertions;

namespace NextGpt.Server.Tests.Web.Accounts;

/// <summary>The one-time link, accounts, sessions (WEB-7).</summary>
public sealed class AccountTests(Browser browser)
{
    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task The_first_link_makes_the_admin_once_and_afterwards_says_that_it_was_used()
    {
        await using var server = await WebServer.StartAsync();
        var link = WebChat.OneTimeLink(server.App.Services, server.Address);
        Assert.NotNull(link);
        await using var ana = await Visitor.ComeAsync(browser, server, name: null);
        await ana.GoAsync();
        await Expect(ana.Page.GetByText("Open the one-time link that the program printed")).ToBeVisibleAsync();

        await ana.GoAsync(link.AbsolutePath);
        await ana.Page.GetByLabel("Name").FillAsync("Ana");
        await ana.Page.GetByLabel("Password, 10 characters or more").FillAsync("short");
        await ana.Button("Make account").ClickAsync();
        await Expect(ana.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The password has 5 characters; it needs 10 to 200.");
        await Expect(ana.Page.GetByLabel("Name")).ToHaveValueAsync("Ana");
        await ana.Page.GetByLabel("Password, 10 characters or more").FillAsync(WebServer.Password);
        await ana.Button("Make account").ClickAsync();
        await Expect(ana.Page.GetByText("What would you like to know?")).ToBeVisibleAsync();

        var cookies = await ana.Profile.CookiesAsync();
        Assert.Equal(["nextgpt.session", "nextgpt.token"], cookies.Select(cookie => cookie.Name).Order());
        Assert.All(cookies, cookie =>
        {
            Assert.True(cookie.HttpOnly);
            Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        });
        Assert.Null(WebChat.OneTimeLink(server.App.Services, server.Address));
        await ana.GoAsync(link.AbsolutePath);
        await Expect(ana.Page.GetByText("This link has been used; sign in with the name and password chosen then"))
            .ToBeVisibleAsync();
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task The_admin_invites_and_removes_people_and_a_removed_persons_session_ends()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var bob = await Visitor.ComeAsync(browser, server, name: null);
        await ana.GoAsync("/people");
        await ana.Button("Make a link").ClickAsync();
        var link = await ana.Page.Locator(".link").TextContentAsync();
        await bob.GoAsync(new Uri(link ?? "").AbsolutePath);
        await bob.Page.GetByLabel("Name").FillAsync("ana");
        await bob.Page.GetByLabel("Password, 10 characters or more").FillAsync(WebServer.Password);
        await bob.Button("Make account").ClickAsync();
        await Expect(bob.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Somebody here has this name already");
        await bob.Page.GetByLabel("Name").FillAsync("<b>Bob</b>");
        await bob.Page.GetByLabel("Password, 10 characters or more").FillAsync(WebServer.Password);
        await bob.Button("Make account").ClickAsync();
        await Expect(bob.Question).ToBeVisibleAsync();
        await Expect(bob.Page.GetByRole(AriaRole.Link, new() { Name = "People" })).ToHaveCountAsync(0);
        await bob.GoAsync("/people");
        await Expect(bob.Page.GetByText("There is no such page, or it is not for you.")).ToBeVisibleAsync();

        await ana.GoAsync("/people");
        await ana.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("Remove <b>Bob") }).ClickAsync();
        await Expect(ana.Page.GetByText("<b>Bob</b>")).ToHaveCountAsync(0);
        await bob.GoAsync();
        await Expect(bob.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");
        ana.AssertNoFaults();
        bob.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task Signing_in_and_out_works_and_guessing_is_slowed_down()
    {
        await using var server = await WebServer.StartAsync();
        server.PersonCalled("Ana");
        await using var ana = await Visitor.ComeAsync(browser, server, name: null);
        await ana.GoAsync("/c/00000000000000000000000000000000");
        await SignInAsync("ANA", WebServer.Password);
        await Expect(ana.Page.GetByText("This conversation is gone")).ToBeVisibleAsync();   // led back to where one was going
        await ana.GoAsync();
        await ana.Button("Sign out").ClickAsync();
        await Expect(ana.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");

        for (var tries = 0; tries < 10; tries++)
        {
            await SignInAsync("Ana", "a wrong password");
            await Expect(ana.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The name or the password is not right; try again.");
        }

        await SignInAsync("Ana", WebServer.Password);
        await Expect(ana.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Too many wrong passwords; wait 60 s, then try again.");
        server.Time.Advance(TimeSpan.FromSeconds(61));
        await SignInAsync("Ana", WebServer.Password);
        await Expect(ana.Question).ToBeVisibleAsync();
        ana.AssertNoFaults();

        async Task SignInAsync(string name, string password)
        {
            await ana.Page.GetByLabel("Name").FillAsync(name);
            await ana.Page.GetByLabel("Password").FillAsync(password);
            await ana.Button("Sign in").ClickAsync();
        }
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task A_session_outlives_a_restart_and_ends_with_a_new_password()
    {
        await using var server = await WebServer.StartAsync();
        await using var ana = await Visitor.ComeAsync(browser, server);
        await using var elsewhere = await Visitor.ComeAsync(browser, server);
        await ana.GoAsync();
        await server.CrashAsync();
        await using var restarted = await WebServer.StartAsync(server);
        await ana.GoAsync("/account");
        await ana.Page.GetByLabel("Present password").FillAsync("not the password");
        await ana.Page.GetByLabel("New password, 10 characters or more").FillAsync("another good password");
        await ana.Button("Change password").ClickAsync();
        await Expect(ana.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The present password is not right; nothing was changed.");
        await ana.Page.GetByLabel("Present password").FillAsync(WebServer.Password);
        await ana.Page.GetByLabel("New password, 10 characters or more").FillAsync("another good password");
        await ana.Button("Change password").ClickAsync();
        await Expect(ana.Question).ToBeVisibleAsync();

        await elsewhere.GoAsync();
        await Expect(elsewhere.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");
        ana.AssertNoFaults();
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task A_link_expires_and_a_new_first_link_replaces_the_old_one()
    {
        await using var server = await WebServer.StartAsync();
        var accounts = server.App.Services.GetRequiredService<AccountStore>();
        var first = accounts.InviteFirst() ?? "";
        var second = accounts.InviteFirst() ?? "";
        Assert.Equal(InvitationState.Unknown, accounts.Look(first).State);
        Assert.Equal(InvitationState.Open, accounts.Look(second).State);
        server.Time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(InvitationState.Expired, accounts.Look(second).State);
        var refusal = Assert.Throws<AccountRefusedException>(() => accounts.Accept(second, "Ana", WebServer.Password));
        Assert.StartsWith("This link has expired; ask for a new one.", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(accounts.Accounts);
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task Neither_passwords_nor_links_stand_in_the_files_and_nobody_else_can_read_them()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-web-").FullName;
        await using (var server = await WebServer.StartAsync(settings: ("NextGpt:DataFolder", folder)))
        {
            var secret = server.Accounts.InviteFirst() ?? "";
            server.Accounts.Accept(secret, "Ana", WebServer.Password);
            await using var ana = await Visitor.ComeAsync(browser, server);
            await ana.GoAsync();
            var files = Directory.GetFiles(Path.Combine(folder, "web"), "*", SearchOption.AllDirectories);
            if (!OperatingSystem.IsWindows())
            {
                string[] folders = [Path.Combine(folder, "web"), .. Directory.GetDirectories(Path.Combine(folder, "web"))];
                foreach (var inside in folders)
                {
                    Assert.Equal(
                        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                        File.GetUnixFileMode(inside));
                }
            }

            Assert.True(files.Length >= 2, "accounts and a session key are expected");
            foreach (var file in files)
            {
                var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
                Assert.DoesNotContain(WebServer.Password, text, StringComparison.Ordinal);
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
                if (!OperatingSystem.IsWindows())
                {
                    Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
                }
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    [Trait("Id", "WEB-7")]
    public async Task The_last_admin_stays_and_a_damaged_account_file_is_named()
    {
        var folder = Directory.CreateTempSubdirectory("nextgpt-web-").FullName;
        await using (var server = await WebServer.StartAsync(settings: ("NextGpt:DataFolder", folder)))
        {
            var ana = server.PersonCalled("Ana");
            server.PersonCalled("Bob");
            Assert.Throws<AccountRefusedException>(() => server.Accounts.Remove(ana.Id));
            Assert.Equal(2, server.Accounts.Accounts.Count);
        }

        var file = Path.Combine(folder, "web", "accounts.json");
        await File.WriteAllTextAsync(file, "{\"version\":1,\"accounts\":[", TestContext.Current.CancellationToken);
        await using (var server = await WebServer.StartAsync(settings: ("NextGpt:DataFolder", folder)))
        {
            var damaged = Assert.Throws<InvalidOperationException>(() => server.Accounts);
            Assert.Contains("accounts.json cannot be read", damaged.Message, StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }
}
