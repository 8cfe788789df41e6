using Spectre.Console;

namespace NextGpt.Server.Terminal;

/// <summary>What is written to the terminal and asked at it. Everything that comes from outside is cleaned (THR-2).</summary>
internal sealed class ConsoleScreen(IAnsiConsole console, Func<string?> readLine)
{
    private bool _midLine;

    /// <summary>A line typed after a prompt; null is the end of the input.</summary>
    public string? Ask(string prompt, Color colour)
    {
        console.Write(prompt, new Style(colour));
        return readLine();
    }

    /// <summary>A question to be answered with yes or no; silence is no.</summary>
    public bool Confirm(string question)
    {
        console.WriteLine(question);
        return Ask("yes or no › ", Color.Yellow)?.Trim().ToLowerInvariant() is "yes" or "y";
    }

    /// <summary>A piece of an answer, as it is: it begins where the last one ended.</summary>
    public void Raw(string text)
    {
        console.Profile.Out.Writer.Write(TerminalText.Clean(text));
        console.Profile.Out.Writer.Flush();
        _midLine = true;
    }

    /// <summary>Begins a new line if an answer stands in this one.</summary>
    public void EndLine()
    {
        if (_midLine)
        {
            console.WriteLine();
            _midLine = false;
        }
    }

    /// <summary>An empty line, or the end of one that was typed.</summary>
    public void NewLine()
    {
        console.WriteLine();
        _midLine = false;
    }

    /// <summary>A line beside the conversation.</summary>
    public void Dim(string text) => console.WriteLine(TerminalText.Clean(text), new Style(decoration: Decoration.Dim));

    /// <summary>A line in a colour.</summary>
    public void Say(string text, Color colour) => console.WriteLine(TerminalText.Clean(text), new Style(colour));

    /// <summary>Two columns.</summary>
    public void Table(IEnumerable<(string Name, string Text)> rows)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(2)).AddColumn();
        foreach (var (name, text) in rows)
        {
            grid.AddRow(new Text(TerminalText.Clean(name)), new Text(TerminalText.Clean(text)));
        }

        console.Write(grid);
    }
}
