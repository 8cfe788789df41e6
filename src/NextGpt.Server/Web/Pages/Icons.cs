using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>The page's pictures: drawn here, so that nothing is fetched. Decoration; the button names itself.</summary>
internal static class Icons
{
    /// <summary>The product's mark: a wave in a rounded square.</summary>
    public static Html Mark { get; } = Html.Of($"""
        <svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false"><rect width="32" height="32" rx="9" fill="#2f5d50"/><path d="M6 16c3.3-8 6.7-8 10 0s6.7 8 10 0" fill="none" stroke="#f7f3ea" stroke-width="3" stroke-linecap="round"/></svg>
        """);

    public static Html Menu { get; } = Line("M3.5 6h13M3.5 10h13M3.5 14h13");

    public static Html Close { get; } = Line("M5 5l10 10M15 5L5 15");

    public static Html Plus { get; } = Line("M10 4v12M4 10h12");

    public static Html Search { get; } = Line("M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12zM13.3 13.3L17 17");

    public static Html Shield { get; } = Line("M10 2.8l6 2.2v4.6c0 3.7-2.5 6.3-6 7.6-3.5-1.3-6-3.9-6-7.6V5l6-2.2z");

    public static Html People { get; } = Line("M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.5c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5M13 3.9a3 3 0 0 1 0 5.2M15 12.4c1.7.6 2.7 2 3 4.1");

    public static Html Person { get; } = Line("M10 10a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM3.8 17c.6-3.3 3-5 6.2-5s5.6 1.7 6.2 5");

    public static Html Leave { get; } = Line("M12.5 6V4.5A1.5 1.5 0 0 0 11 3H5a1.5 1.5 0 0 0-1.5 1.5v11A1.5 1.5 0 0 0 5 17h6a1.5 1.5 0 0 0 1.5-1.5V14M8 10h9.5M14.5 7l3 3-3 3");

    public static Html Pencil { get; } = Line("M4 16l.7-3.3L13.4 4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3L7.3 15.3 4 16z");

    public static Html Bin { get; } = Line("M4 5.5h12M8 5.5V3.8h4v1.7M5.5 5.5l.7 11h7.6l.7-11");

    public static Html Copy { get; } = Line("M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4");

    public static Html Again { get; } = Line("M16 10a6 6 0 1 1-1.9-4.4L16 7.5M16 3.5v4h-4");

    public static Html Good { get; } = Line("M6.5 9v8M6.5 9l3.2-6c1.3 0 2 .9 1.8 2.2L11 8h4.3c1.1 0 1.8 1 1.5 2l-1.5 5.6c-.2.8-.9 1.4-1.8 1.4H3.5V9h3z");

    public static Html Bad { get; } = Line("M13.5 11V3M13.5 11l-3.2 6c-1.3 0-2-.9-1.8-2.2L9 12H4.7c-1.1 0-1.8-1-1.5-2l1.5-5.6C4.9 3.6 5.6 3 6.5 3h10v8h-3z");

    public static Html Back { get; } = Line("M12 5l-5 5 5 5");

    public static Html Forth { get; } = Line("M8 5l5 5-5 5");

    public static Html Down { get; } = Line("M10 4v12M5 11l5 5 5-5");

    public static Html Up { get; } = Line("M10 16V4M5 9l5-5 5 5");

    public static Html Kept { get; } = Line("M5.5 3.5h9v13L10 13.2 5.5 16.5z");

    public static Html Clip { get; } = Line("M14.5 8.5l-5.6 5.6a2.4 2.4 0 0 1-3.4-3.4l6.3-6.3a3.7 3.7 0 0 1 5.2 5.2l-6.4 6.4a5 5 0 0 1-7.1-7.1l5.6-5.6");

    public static Html Stop { get; } = Html.Of($"""
        <svg class="stop" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false"><rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor"/></svg>
        """);

    private static Html Line(string path) => Html.Of($"""
        <svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="{path}"/></svg>
        """);
}
