using System.Globalization;
using System.Text.RegularExpressions;

namespace NextGpt.ChatService.Tests;

/// <summary>Which of the 68 cases of the connector contract the tests show, by their names (Case_NN_...).</summary>
public sealed partial class ContractTests
{
    /// <summary>Cases that wait for a package that makes or reads media; they have no test yet.</summary>
    private static readonly int[] WaitForMedia = [31, 32, 40, 58, 59, 60, 61, 62];

    /// <summary>Cases whose text part is shown; their media part waits.</summary>
    private static readonly int[] TextPartOnly = [22, 26, 33, 39, 42, 54, 65, 67];

    [Fact]
    public void Every_case_has_a_test_unless_it_waits_for_media()
    {
        var shown = typeof(ContractTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Select(method => CaseInName().Match(method.Name))
            .Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .ToHashSet();

        Assert.Equal(Enumerable.Range(1, 68).Except(WaitForMedia), shown.Order());
        Assert.Subset(shown, TextPartOnly.ToHashSet());
    }

    [GeneratedRegex("^Case_([0-9]{2})_")]
    private static partial Regex CaseInName();
}
