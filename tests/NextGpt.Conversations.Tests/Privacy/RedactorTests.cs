using NextGpt.Conversations.Privacy;

namespace NextGpt.Conversations.Tests.Privacy;

/// <summary>PRI-6: what must go, and what looks like it and must stay.</summary>
[Trait("Product", "PRI-6")]
public sealed class RedactorTests
{
    private readonly Redactor _redactor = new(PersonSecret.Fleeting());

    [Theory]
    [InlineData("Write to ana.berg+news@mail.example.co.uk today", "Write to [e-mail] today")]
    [InlineData("<müller@exämple.de>", "<[e-mail]>")]
    [InlineData("mail me: ANA@EXAMPLE.COM.", "mail me: [e-mail].")]
    [InlineData("ana (at) example (dot) org", "[e-mail]")]
    [InlineData("ana [at] example.org", "[e-mail]")]
    [InlineData("a\u200Bna@exam\u200Bple.org", "[e-mail]")]
    public void Addresses_of_e_mail_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("DE89 3704 0044 0532 0130 00 is mine", "[IBAN] is mine")]
    [InlineData("DE89370400440532013000", "[IBAN]")]
    [InlineData("iban gb82 west 1234 5698 7654 32 please", "iban [IBAN] please")]
    [InlineData("FR14-2004-1010-0505-0001-3M02-606", "[IBAN]")]
    [InlineData("pay NO93 8601 1117 947, thanks", "pay [IBAN], thanks")]
    public void Account_numbers_with_right_check_digits_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27")]
    [InlineData("5500-0000-0000-0004", "[card]")]
    [InlineData("378282246310005", "[card]")]
    public void Card_numbers_with_right_check_digits_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("call +49 30 901820 now", "call [phone] now")]
    [InlineData("+1 (415) 555-0132", "[phone]")]
    [InlineData("0044 20 7946 0958", "[phone]")]
    [InlineData("(415) 555-0132 or 415-555-0199", "[phone] or [phone]")]
    [InlineData("415.555.0132", "[phone]")]
    [InlineData("ruf 030/1234567 an", "ruf [phone] an")]
    [InlineData("0171 1234567", "[phone]")]
    [InlineData("020 7946 0958", "[phone]")]
    [InlineData("06 12 34 56 78", "[phone]")]
    [InlineData("07700900123", "[phone]")]
    [InlineData("my number is 555 0199", "my number is [phone]")]
    [InlineData("Tel: 5550199", "Tel: [phone]")]
    public void Phone_numbers_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("I am at 203.0.113.77 right now", "I am at [IP] right now")]
    [InlineData("ssh 192.168.1.20:22", "ssh [IP]:22")]
    [InlineData("2001:db8:85a3::8a2e:370:7334", "[IP]")]
    [InlineData("ping fe80::1ff:fe23:4567:890a%eth0", "ping [IP]")]
    public void Network_addresses_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("I live at 221B Baker Street, London", "I live at [address], London")]
    [InlineData("1600 Pennsylvania Ave NW", "[address]")]
    [InlineData("send it to 12 Old Mill Rd., Apt 5", "send it to [address]")]
    [InlineData("Ich wohne Musterstraße 12a", "Ich wohne [address]")]
    [InlineData("Hauptstr. 5, Berlin", "[address], Berlin")]
    [InlineData("Unter Linden Allee 7", "[address]")]
    [InlineData("12 rue de la Paix à Paris", "[address] à Paris")]
    [InlineData("vive en Calle Mayor 5", "vive en [address]")]
    [InlineData("Via Roma, 12", "[address]")]
    [InlineData("P.O. Box 1234", "[address]")]
    [InlineData("i live at 12 baker street", "i live at [address]")]
    public void Street_addresses_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("sk-proj-abcdEFGH1234567890abcd", "[secret]")]
    [InlineData("use ghp_0123456789abcdefghijABCDEFGHIJ012345 here", "use [secret] here")]
    [InlineData("AKIAIOSFODNN7EXAMPLE", "[secret]")]
    [InlineData("hf_abcdefghijABCDEFGHIJ0123456789", "[secret]")]
    [InlineData("xoxb-123456789012-abcdefghijkl", "[secret]")]
    [InlineData("AIzaSyA-1234567890abcdefghijklmnopqrstu", "[secret]")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "[secret]")]
    [InlineData("password: hunter2!", "password: [secret]")]
    [InlineData("my passwort ist geheim99", "my passwort ist [secret]")]
    [InlineData("API_KEY=\"a1b2c3d4e5\"", "API_KEY=\"[secret]\"")]
    [InlineData("Authorization: Bearer abc123def456ghi789", "Authorization: Bearer [secret]")]
    [InlineData("postgres://ana:s3cret@db.internal/app", "postgres://[secret]@db.internal/app")]
    [InlineData("token aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9dE", "token [secret]")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nABC\n-----END RSA PRIVATE KEY-----\nthanks", "[secret]\nthanks")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r", "[secret]")]
    public void Secrets_go(string text, string expected) => Check(text, expected);

    [Theory]
    [InlineData("What is 2 + 2? Answer in 3 words.")]
    [InlineData("The years 1914-1918 and 2024-01-15, at 10:30-11:45")]
    [InlineData("1,234,567 people, 3.14159265 and 2.718281828459045")]
    [InlineData("ISBN 978-0-306-40615-7")]
    [InlineData("The order 123456789 costs 1999.00")]
    [InlineData("Card-like 4111 1111 1111 1112 fails its check digit")]
    [InlineData("GB82 WEST 1234 5698 7654 33 fails its check digits")]
    [InlineData("version 1.2.3 and v10.0.14.2, not 300.1.2.3")]
    [InlineData("127.0.0.1 is this machine, 0.0.0.0 any")]
    [InlineData("std::vector<int>::iterator at 12:30:45")]
    [InlineData("meet me @ home at 5, I earn 5@hour")]
    [InlineData("@Override public void run(), @media screen")]
    [InlineData("The password is required; a token is a unit of text.")]
    [InlineData("My password manager and my secret recipe")]
    [InlineData("commit 3f786850e387550fdab836ed7e6dc881de23001b")]
    [InlineData("sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    [InlineData("a two lane road, 5 miles of street art, Chapter 12 Street names")]
    [InlineData("Draw 3 birds on the way home, 4 cats in a court")]
    [InlineData("12 monkeys drive to the place")]
    [InlineData("https://example.org/a/b?c=d#e")]
    [InlineData("A ring of 8, Umweg um 3 Ecken")]
    [InlineData("skiing-equipment-for-beginners and risk-averse-people-everywhere")]
    [InlineData("1 2 3 4 5 6 7 8 9 10 11 12")]
    [InlineData("family emoji 👨‍👩‍👧 stays whole")]
    public void What_only_looks_like_it_stays(string text)
    {
        var redaction = _redactor.Redact(text, "c");
        Assert.Equal((text, 0), (redaction.Text, redaction.Count));
    }

    [Fact]
    public void Mentioned_names_become_pseudonyms_that_are_the_same_in_one_conversation_and_differ_between_two()
    {
        var first = _redactor.Redact("@alice asked @Bob_7, @Alice answered", "one").Text;
        Assert.Matches("^(@person-[a-p]{6}) asked (@person-[a-p]{6}), \\1 answered$", first);
        Assert.NotEqual(first, _redactor.Redact("@alice asked @Bob_7, @Alice answered", "two").Text);
        Assert.Matches("^hi @person-[a-p]{6} and @person-[a-p]{6}$", _redactor.Redact("hi <@!123456789> and <at>Ana B</at>", "c").Text);
    }

    [Fact]
    public void Redacting_twice_changes_nothing()
    {
        const string text = "ana@example.org, +49 30 901820, 4111 1111 1111 1111, @bob, password: hunter2!, 221B Baker Street";
        var once = _redactor.Redact(text, "c");
        Assert.Equal(6, once.Count);
        Assert.Equal((once.Text, 0), (_redactor.Redact(once.Text, "c").Text, _redactor.Redact(once.Text, "c").Count));

        // No pseudonym looks like a number, whatever the secret and the name: about one hexadecimal one in seventeen did.
        foreach (var number in Enumerable.Range(0, 200))
        {
            var named = _redactor.Redact($"my phone is @name{number}, 221B Baker Street", "c").Text;
            Assert.Equal((named, 0), (_redactor.Redact(named, "c").Text, _redactor.Redact(named, "c").Count));
        }
    }

    [Theory]
    [InlineData('a')]
    [InlineData('0')]
    [InlineData('.')]
    [InlineData('@')]
    [InlineData(':')]
    [InlineData(' ')]
    public void A_long_text_of_one_kind_is_done_in_time(char letter)
    {
        var text = new string(letter, 100_000) + " " + string.Concat(Enumerable.Repeat(letter + "1 ", 20_000));
        Assert.NotEmpty(_redactor.Redact(text, "c").Text);   // no pattern runs into its time limit
    }

    private void Check(string text, string expected)
    {
        var redaction = _redactor.Redact(text, "c");
        Assert.Equal(expected, redaction.Text);
        Assert.True(redaction.Count >= 1);
    }
}
