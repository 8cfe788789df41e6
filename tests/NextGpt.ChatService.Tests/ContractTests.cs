using System.Globalization;
using System.Text.RegularExpressions;

namespace NextGpt.ChatService.Tests;

/// <summary>Which of the 68 cases of the connector contract the tests show, by their names (Case_NN_...).</summary>
public sealed partial class ContractTests
{
    [Fact]
    public void Every_case_has_a_test()
    {
        var shown = typeof(ContractTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Select(method => CaseInName().Match(method.Name))
            .Where(match => match.Success)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .ToHashSet();

        Assert.Equal(Enumerable.Range(1, 68), shown.Order());
    }

    [GeneratedRegex("^Case_([0-9]{2})_")]
    private static partial Regex CaseInName();
}
