using Microsoft.Extensions.AI;
using NextGpt.ChatService.Tools;

namespace NextGpt.ChatService.Tests.Tools;

public sealed class ToolCallReaderTests
{
    private static readonly Dictionary<string, AIFunctionDeclaration> Functions = new()
    {
        ["weather"] = AIFunctionFactory.Create((string city) => $"Rain in {city}.", "weather"),
        ["now"] = AIFunctionFactory.Create(() => "noon", "now"),
    };

    /// <summary>An answer, and what is read from it: text in plain, calls as [name key=value].</summary>
    public static TheoryData<string, string> Answers => new()
    {
        { "Hello.", "Hello." },
        { "", "" },
        { "  Two  spaces.\n", "  Two  spaces.\n" },
        { """<tool_call>{"name": "now", "arguments": {}}</tool_call>""", "[now]" },
        { """<tool_call>{"name": "now"}""", "[now]" },
        { """Look. <tool_call> {"name":"weather","arguments":{"city":"Ulm"}} </tool_call>""", "Look.[weather city=Ulm]" },
        { """a <tool_call>{"name":"now"}</tool_call> b""", "a[now] b" },
        { "<tool_call>{\"name\":\"now\"}</tool_call>\n<tool_call>{\"name\":\"now\"}</tool_call>\n", "[now][now]" },
        { """<tool_call>[{"name":"now"},{"name":"weather","arguments":{"city":"Bern"}}]""", "[now][weather city=Bern]" },
        {
            """<tool_call>{"name":"weather","arguments":{"city":"}</tool_call>{\"x"}}</tool_call>.""",
            "[weather city=}</tool_call>{\"x]."
        },
        {
            """<tool_call>{"name":"weather","arguments":{"city":{"name":"Ulm","near":["a",1,true,null]}}}""",
            """[weather city={"name":"Ulm","near":["a",1,true,null]}]"""
        },
        { """{"name":"now","arguments":{}}""", """{"name":"now","arguments":{}}""" },
        { "The mark <tool_call> starts a call.", "The mark <tool_call> starts a call." },
        { "Ends with <tool_call>", "Ends with <tool_call>" },
        { "Half a mark: <tool_ca", "Half a mark: <tool_ca" },
        { "1 < 2 and <tool> too", "1 < 2 and <tool> too" },
        { "</tool_call> alone", "</tool_call> alone" },
        { """<tool_call>{"name":"weather","arguments":{"city":</tool_call> Oh.""", "[!weather] Oh." },
        { """<tool_call>{"name":"weather","arguments":{"city":"Ul""", "[!weather]" },
        { """<tool_call>{"name":"weather","arguments":{"city":"Ulm}</tool_call>""", "[!weather]" },
        { """<tool_call>{"name":"weather","arguments":"Ulm"}</tool_call>""", "[!weather]" },
        { """<tool_call>{"name":"now","arguments":{x}}</tool_call>""", "[!now (unreadable call)]" },
        { """<tool_call>{"tool":"now"}</tool_call>""", "[!unreadable (unreadable call)]" },
        { """<tool_call>[1]</tool_call>""", "[!unreadable (unreadable call)]" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Case_52_calls_leave_the_text_and_what_only_looks_like_one_stays_however_the_answer_is_cut(
        string answer, string expected)
    {
        Assert.Equal(expected, Read([answer], oneCall: false));
        Assert.Equal(expected, Read(answer.Select(letter => letter.ToString()), oneCall: false));
        for (var cut = 1; cut < answer.Length; cut++)
        {
            Assert.Equal(expected, Read([answer[..cut], answer[cut..]], oneCall: false));
        }
    }

    [Fact]
    public void Case_48_only_the_first_call_counts_where_only_one_is_allowed()
    {
        const string Two = """<tool_call>[{"name":"now"},{"name":"weather","arguments":{"city":"Ulm"}}]</tool_call>""";

        Assert.Equal("[now]", Read([Two], oneCall: true));
        Assert.Equal("[now]", Read([Two, Two], oneCall: true));
    }

    [Fact]
    public void Case_41_no_part_of_a_mark_is_said_before_it_is_clear_what_it_is()
    {
        var reader = new ToolCallReader(Functions, oneCall: false);

        Assert.Equal("Well", Text(reader.Read(new TextContent("Well <tool_c"))));
        Assert.Equal("", Text(reader.Read(new TextContent("all>"))));
        Assert.Equal("", Text(reader.Read(new TextContent("""{"name":"no"""))));
        Assert.IsType<FunctionCallContent>(Assert.Single(reader.Read(new TextContent("""w"}"""))));
        Assert.Empty(reader.Read(new TextContent("</tool")));
        Assert.Equal("</tool_box> it is", Text(reader.Read(new TextContent("_box> it is"))));
    }

    private static string Text(IEnumerable<AIContent> contents) =>
        string.Concat(contents.OfType<TextContent>().Select(text => text.Text));

    private static string Read(IEnumerable<string> pieces, bool oneCall)
    {
        var reader = new ToolCallReader(Functions, oneCall);
        List<AIContent> contents = [.. pieces.SelectMany(piece => reader.Read(new TextContent(piece)))];
        contents.AddRange(reader.Complete());
        Assert.Equal(contents.OfType<FunctionCallContent>().Count(), reader.CallCount);
        return string.Concat(contents.Select(content => content switch
        {
            FunctionCallContent { Exception: not null } call => $"[!{call.Name}]",
            FunctionCallContent call => $"[{string.Join(' ',
                [call.Name, .. call.Arguments!.Select(argument => $"{argument.Key}={argument.Value}")])}]",
            _ => ((TextContent)content).Text,
        }));
    }
}
