using System.Text.RegularExpressions;

namespace NextGpt.Conversations.Privacy;

/// <summary>
/// Finds turns about health, finance, belief or sex life by word lists, English and German. Words that nearly always speak
/// of a person count alone; common ones only in a sentence in which somebody speaks of themselves or their own people.
/// A word list errs: it is meant to err towards not training.
/// </summary>
internal static partial class SensitiveTopicFinder
{
    private const int Patience = 1_000;

    private static readonly (SensitiveTopics Topic, Regex Alone, Regex WithPerson)[] Lists =
    [
        (SensitiveTopics.Health, HealthAlone(), HealthWithPerson()),
        (SensitiveTopics.Finance, FinanceAlone(), FinanceWithPerson()),
        (SensitiveTopics.Belief, BeliefAlone(), BeliefWithPerson()),
        (SensitiveTopics.SexLife, SexLifeAlone(), SexLifeWithPerson()),
    ];

    /// <summary>The topics of a text.</summary>
    /// <exception cref="RegexMatchTimeoutException">The text took too long.</exception>
    public static SensitiveTopics Find(string text)
    {
        var found = SensitiveTopics.None;
        foreach (var (topic, alone, _) in Lists)
        {
            found |= alone.IsMatch(text) ? topic : SensitiveTopics.None;
        }

        foreach (var sentence in Sentences().EnumerateSplits(text))
        {
            var said = text[sentence];
            if (!OwnPerson().IsMatch(said))
            {
                continue;
            }

            foreach (var (topic, _, withPerson) in Lists)
            {
                found |= withPerson.IsMatch(said) ? topic : SensitiveTopics.None;
            }
        }

        return found;
    }

    [GeneratedRegex(@"[.!?\n]+", RegexOptions.None, Patience)]
    private static partial Regex Sentences();

    [GeneratedRegex(@"\b(?:i|i'm|i’m|i've|i’ve|me|my|mine|myself|we|our|us|ich|mir|mich|mein\w{0,2}|wir|uns\w{0,4})\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex OwnPerson();

    [GeneratedRegex(@"\b(?:hiv[- ]positive|my (?:diagnosis|medication|therapist|psychiatrist|doctor|pregnancy|disability)|diagnosed with|chemo(?:therapy)? (?:for me|session)|suicid(?:e|al)|self[- ]harm|kill myself|meine (?:diagnose|krankheit|schwangerschaft|therapie)|krankgeschrieben)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex HealthAlone();

    [GeneratedRegex(@"\b(?:cancer|tumou?r|diabet\w+|depress(?:ion|ed)|anxiety|bipolar|schizophren\w+|adhd|autis\w+|asthma|epilep\w+|hiv|aids|pregnan\w+|abortion|miscarriage|medication|antidepressants?|insulin|surgery|hospital|disease|illness|disorder|disab(?:led|ility)|therap(?:y|ist)|addict(?:ed|ion)|alcoholic|overdose|allerg\w+|migraines?|blood pressure|symptoms?|krebs|krank\w*|depress\w+|schwanger\w*|arzt|ärztin|krankenhaus|medikament\w*|behinder\w+|therapie)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex HealthWithPerson();

    [GeneratedRegex(@"\b(?:my (?:salary|income|debts?|mortgage|savings|bank account|credit score|tax return|bankruptcy|paycheck|pension)|i (?:earn|owe|make) [$€£]?\d|mein(?:e|em|en)? (?:gehalt|einkommen|schulden|konto|kredit|ersparnisse|steuererklärung))\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex FinanceAlone();

    [GeneratedRegex(@"\b(?:salary|wages?|income|debts?|loan|mortgage|bankrupt\w*|savings|credit (?:card|score)|bank account|overdraft|unemployed|unemployment|foodbank|benefits office|evicted|tax(?:es)? (?:return|debt)|inherit\w*|gehalt|schulden|kredit|insolven\w+|arbeitslos\w*|kontostand|miete nicht)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex FinanceWithPerson();

    [GeneratedRegex(@"\b(?:my (?:religion|faith|church|mosque|synagogue|temple|political party)|i(?:'m| am) (?:an? )?(?:muslim|christian|jewish|jew|hindu|buddhist|sikh|atheist|catholic|protestant|mormon|communist|socialist|republican|democrat)|i voted for|ich (?:bin|habe) (?:muslim\w*|christ\w*|jüdisch|katholisch|evangelisch|atheist\w*|gewählt))\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex BeliefAlone();

    [GeneratedRegex(@"\b(?:pray(?:ed|ing|s)?|baptis\w+|baptiz\w+|convert(?:ed)? to (?:islam|christianity|judaism|hinduism|buddhism)|lost (?:my|our) faith|believe in god|union member|party member|trade union|beten|getauft|glaube an gott|gewerkschaft\w*|parteimitglied)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex BeliefWithPerson();

    [GeneratedRegex(@"\b(?:(?:my|our) sex life|my (?:sexuality|sexual orientation)|i(?:'m| am) (?:gay|lesbian|bisexual|bi|asexual|pansexual|queer|transgender|trans|non-?binary)|(?:had|having|have) sex with|one[- ]night stand|erectile|porn(?:ography)?|ich bin (?:schwul|lesbisch|bisexuell|trans)|mein sexleben)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex SexLifeAlone();

    [GeneratedRegex(@"\b(?:sex|sexual\w*|orgasm\w*|libido|impoten\w+|contracepti\w+|std|sti|came out as|coming out|virginity|verhütung|sexuell\w*)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, Patience)]
    private static partial Regex SexLifeWithPerson();
}
