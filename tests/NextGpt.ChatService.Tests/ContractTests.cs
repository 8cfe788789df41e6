using System.Globalization;
using System.Text.RegularExpressions;

namespace NextGpt.ChatService.Tests;

/// <summary>Which of the 68 cases of the connector contract the tests show, by their names (Case_NN_...).</summary>
public sealed partial class ContractTests
{
    /// <summary>Cases that wait for a package that makes or reads media; they have no test yet.</summary>
    private static readonly int[] WaitForMedia = [58, 59, 60, 61, 62];

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
    }

    [GeneratedRegex("^Case_([0-9]{2})_")]
    private static partial Regex CaseInName();
}
