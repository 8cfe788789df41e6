using System.Globalization;

namespace NextGpt.Tuning.Talk;

/// <summary>Sums, differences, products, remainders, comparisons, counting, even and odd, small word problems.</summary>
internal static class NumberTalk
{
    private static readonly Wordings Sum = new(
        "What is {0} plus {1}?", "{0} + {1} = ?", "Add {0} and {1}.", "How much is {0} and {1} together?", "What do you get if you add {1} to {0}?", "Can you work out {0} + {1}?",
        "Tell me the sum of {0} and {1}.", "What does {0} plus {1} make?", "{0} plus {1}?", "Please add {0} to {1}.", "Work out {0} and {1} added up.", "Calculate {0} + {1}.");

    private static readonly Wordings Difference = new(
        "What is {0} minus {1}?", "{0} - {1} = ?", "Take {1} away from {0}.", "How much is left of {0} if you take {1} away?", "Subtract {1} from {0}.", "What is the difference between {0} and {1}?",
        "Can you work out {0} - {1}?", "What does {0} minus {1} make?", "{0} minus {1}?", "What remains when {1} is taken from {0}?", "Please subtract {1} from {0}.", "Calculate {0} - {1}.");

    private static readonly Wordings Product = new(
        "What is {0} times {1}?", "{0} x {1} = ?", "Multiply {0} by {1}.", "How much is {0} multiplied by {1}?", "What do {0} groups of {1} make?", "Can you work out {0} * {1}?",
        "Tell me the product of {0} and {1}.", "What does {0} times {1} make?", "{0} times {1}?", "Please multiply {0} and {1}.", "How many are {0} times {1}?", "Calculate {0} x {1}.");

    private static readonly Wordings Quotient = new(
        "What is {0} divided by {1}?", "{0} / {1} = ?", "Divide {0} by {1}.", "How often does {1} go into {0}?", "Share {0} among {1}: how many does each get?", "Can you work out {0} divided by {1}?",
        "How much is {0} split into {1} equal parts?", "What does {0} over {1} make?", "{0} divided by {1}?", "Please divide {0} by {1}.", "Cut {0} into {1} equal parts: how big is one?", "Calculate {0} / {1}.");

    private static readonly Wordings Rest = new(
        "What is left over when {0} is divided by {1}?", "What is the remainder of {0} divided by {1}?", "{0} divided by {1} leaves what remainder?", "Which remainder does {0} leave after division by {1}?",
        "If I pack {0} eggs in boxes of {1}, how many are left over?", "Give me the remainder of {0} over {1}.", "Divide {0} by {1}; what remains?", "What remains of {0} after taking away all the {1}s?",
        "{0} sweets for {1} children: how many are left over?", "What is {0} modulo {1}?", "Tell me the rest of {0} divided by {1}.", "How many are left when {0} are put into rows of {1}?");

    private static readonly Wordings Larger = new(
        "Which is larger, {0} or {1}?", "Is {0} or {1} the bigger number?", "What is more, {0} or {1}?", "Which of {0} and {1} is greater?", "Tell me the bigger one: {0} or {1}.", "Of {0} and {1}, which is more?",
        "Which number is higher, {0} or {1}?", "Compare {0} and {1}: which one is larger?", "{0} or {1}: which is the larger number?", "Pick the greater number, {0} or {1}.", "Between {0} and {1}, which is bigger?", "Which would be more money, {0} or {1} dollars?");

    private static readonly Wordings After = new(
        "What number comes after {0}?", "Count on from {0}: what is next?", "Which number follows {0}?", "What is the next number after {0}?", "I counted to {0}. What comes now?", "What comes right after {0}?",
        "Say the number that follows {0}.", "If I am at {0} and count one further, where am I?", "{0}, and then?", "Which number is one more than {0}?", "What is one above {0}?", "Name the number after {0}.");

    private static readonly Wordings Parity = new(
        "Is {0} even or odd?", "Is {0} an even number?", "Tell me whether {0} is odd or even.", "Even or odd: {0}?", "Can {0} be split into two equal whole numbers?", "Would you call {0} even or odd?",
        "Is the number {0} odd?", "{0}: even or odd?", "What kind of number is {0}, even or odd?", "Does {0} divide evenly by two?", "Say if {0} is even or odd.", "Which is {0}, odd or even?");

    private static readonly Wordings Story = new(
        "{2} has {0} {3} and gets {1} more. How many {3} are there now?", "There are {0} {3} on the table. {2} puts {1} more there. How many are on the table?",
        "{2} found {0} {3} in the morning and {1} in the evening. How many in all?", "If {2} picks {0} {3} and then another {1}, how many is that?",
        "{2} bought {0} {3} yesterday and {1} today. How many {3} is that together?", "In one box are {0} {3}, in another {1}. How many {3} does {2} have?",
        "{2} counts {0} {3} on the left and {1} on the right. What is the total?", "First {2} sees {0} {3}, then {1} more. How many did {2} see?",
        "{2} owns {0} {3}. A friend gives {2} {1} more. How many are they?", "How many {3} does {2} have with {0} in one hand and {1} in the other?",
        "{0} {3} lie in the basket and {2} adds {1}. How many lie there?", "{2} drew {0} {3} and after lunch {1} more. How many were drawn?");

    private static readonly Wordings Loss = new(
        "{2} has {0} {3} and gives {1} away. How many are left?", "There were {0} {3}, and {2} ate {1}. How many remain?", "{2} had {0} {3} and lost {1}. How many {3} does {2} still have?",
        "From {0} {3} {2} takes {1}. How many stay?", "{2} sold {1} of {0} {3}. How many are left?", "If {1} of the {0} {3} break, how many whole ones does {2} have?",
        "{0} {3} lay there until {2} took {1}. How many lie there now?", "{2} started with {0} {3} and dropped {1}. How many has {2} got?",
        "Of {2}'s {0} {3}, {1} are gone. How many are there still?", "{2} shares out {1} of {0} {3}. What is left?", "{2} had {0} {3}; {1} were stolen. How many are left?", "After {2} gave away {1} of {0} {3}, how many were left?");

    private static readonly string[] Goods = ["apples", "marbles", "books", "eggs", "stamps", "shells", "coins", "flowers", "pencils", "cookies", "stickers", "buttons"];

    internal static IReadOnlyList<TalkFamily> Families { get; } =
    [
        new("sum", draw => Worked(draw, Sum, () => (draw.Number(1, 60), draw.Number(1, 40)), (a, b) => a + b, "plus")),
        new("difference", draw => Worked(draw, Difference, () => Ordered(draw.Number(1, 99), draw.Number(1, 60)), (a, b) => a - b, "minus")),
        new("product", draw => Worked(draw, Product, () => (draw.Number(1, 10), draw.Number(1, 10)), (a, b) => a * b, "times")),
        new("quotient", MakeQuotient),
        new("remainder", draw => Worked(draw, Rest, () => (draw.Number(5, 60), draw.Number(2, 9)), (a, b) => a % b, null)),
        new("larger", MakeLarger),
        new("after", draw =>
        {
            var (number, _) = draw.Pair(() => (draw.Number(0, 200), 0));
            return new(After.Say(draw, number), $"{number + 1} comes after {number}.", Text(number + 1));
        }),
        new("parity", draw =>
        {
            var (number, _) = draw.Pair(() => (draw.Number(1, 200), 1));
            var kind = number % 2 == 0 ? "even" : "odd";
            return new(Parity.Say(draw, number), $"{number} is {kind}.", kind);
        }),
        new("story sum", draw => MakeStory(draw, Story, () => (draw.Number(1, 20), draw.Number(1, 20)), (a, b) => a + b)),
        new("story difference", draw => MakeStory(draw, Loss, () => Ordered(draw.Number(2, 30), draw.Number(1, 20)), (a, b) => a - b)),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static (int A, int B) Ordered(int a, int b) => a >= b ? (a, b) : (b, a);

    private static TalkTurn Worked(TalkDraw draw, Wordings wordings, Func<(int A, int B)> numbers, Func<int, int, int> work, string? sign)
    {
        var (a, b) = draw.Pair(numbers);
        var result = work(a, b);
        var answer = sign is null ? (result == 0 ? "Nothing is left over: the remainder is 0." : $"The remainder is {result}.")
            : draw.Chance(0.3) ? $"{result}." : $"{a} {sign} {b} is {result}.";
        return new TalkTurn(wordings.Say(draw, a, b), answer, Text(result));
    }

    private static TalkTurn MakeQuotient(TalkDraw draw)
    {
        var (part, count) = draw.Pair(() => (draw.Number(1, 10), draw.Number(2, 10)));
        return new TalkTurn(Quotient.Say(draw, part * count, count), $"{part * count} divided by {count} is {part}.", Text(part));
    }

    private static TalkTurn MakeLarger(TalkDraw draw)
    {
        var (a, b) = draw.Pair(() =>
        {
            var a = draw.Number(1, 100);
            var b = draw.Number(1, 99);
            return (a, b >= a ? b + 1 : b);
        });
        return new TalkTurn(Larger.Say(draw, a, b), $"{Math.Max(a, b)} is larger than {Math.Min(a, b)}.", Text(Math.Max(a, b)));
    }

    private static TalkTurn MakeStory(TalkDraw draw, Wordings wordings, Func<(int A, int B)> numbers, Func<int, int, int> work)
    {
        var (a, b) = draw.Pair(numbers);
        var goods = draw.One(Goods);
        var name = draw.One(TalkFacts.Names);
        var result = work(a, b);
        return new TalkTurn(
            wordings.Say(draw, a, b, name, goods), draw.Chance(0.5) ? $"{result} {goods}." : $"That makes {result} {goods}.", Text(result));
    }
}
