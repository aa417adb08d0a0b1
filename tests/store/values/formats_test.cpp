#include <holdfast/store/detail/formats.hpp>

namespace holdfast::detail {
namespace {

using namespace std::string_literals;

TEST(utf8, is_accepted_in_its_shortest_form_only) {
  for (auto& good :
       {""s, "plain"s, "eight by"s, "\xc3\xa4"s, "long enough, \xe2\x82\xac"s, "\xf0\x9f\x98\x80"s,
        "\xed\x9f\xbf"s, "\xee\x80\x80"s, "\xf4\x8f\xbf\xbf"s, "a\0b"s})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (auto& bad : {"\x80"s, "\xc3"s, "\xc0\x80"s, "\xc1\xbf"s, "\xe0\x80\x80"s, "\xe2\x82"s,
                    "\xed\xa0\x80"s, "\xf0\x80\x80\x80"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s,
                    "\xff"s, "seven b\xe4r"s, "eight byt\xc3"s, "\xc3\xa4\xa4"s})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(utf8, is_counted_in_code_points) {
  EXPECT_EQ(code_points(""), 0U);
  EXPECT_EQ(code_points("abc"), 3U);
  EXPECT_EQ(code_points("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 3U);
}

TEST(email_format, wants_one_at_sign_and_a_dot_behind_it) {
  for (auto* good : {"a@b.c", "first.last+tag@sub.example.org", "x@y.z.w", "\xc3\xa4@b.de",
                     "somebody.with.a.long.name@a-long-domain.example"})
    EXPECT_TRUE(is_email(good)) << good;
  for (auto* bad : {"", "a", "a@", "@b.c", "a@b", "a@.c", "a@b.", "a@b@c.d", "a b@c.d", "a@b.c ",
                    "a@b .c", "a@b\t.c", "a\n@b.c", "eightchar@acter s.org", "a@@b.c", "a@b.c\x7f"})
    EXPECT_FALSE(is_email(bad)) << bad;
}

TEST(url_format, wants_an_absolute_url) {
  for (auto* good : {"http://a", "https://example.org/path?q=1#f", "HTTPS://EXAMPLE.ORG",
                     "ftp://h:21/x", "http://user:pass@host:8080/", "http://[::1]:80/",
                     "mailto:a@b.c", "urn:isbn:1", "file:///etc/hosts", "ws://h", "custom+x.1-y:z"})
    EXPECT_TRUE(is_url(good)) << good;
  for (auto* bad : {"", "example.org", "/path", "//host", "http:", "http://", "http:///path",
                    "http://a b", "http://h:99999", "http://h:x", "1http://h", ":x", "http://[::1",
                    "http://h<x", "mailto:", "http://?q"})
    EXPECT_FALSE(is_url(bad)) << bad;
}

struct date_case {
  std::string_view text;
  std::int64_t ms;
};

TEST(iso_date_format, is_calendar_checked) {
  for (auto [text, ms] : {date_case{"1970-01-01", 0},
                          {"2000-02-29", 951782400000},
                          {"1969-12-31", -86400000},
                          {"0000-01-01", -62167219200000},
                          {"9999-12-31", 253402214400000},
                          {"1970-01-01T00:00:01", 1000},
                          {"1970-01-01T00:00:01Z", 1000},
                          {"1970-01-01 00:00:01z", 1000},
                          {"1970-01-01T00:00:00.5Z", 500},
                          {"1970-01-01T00:00:00,123456Z", 123},
                          {"1970-01-01T01:00:00+01:00", 0},
                          {"1970-01-01T01:00:00+0100", 0},
                          {"1969-12-31T23:00:00-01:00", 0},
                          {"1970-01-01T23:59:59.999-23:59", 172739999}}) {
    EXPECT_EQ(parse_iso_date(text), ms) << text;
    EXPECT_TRUE(is_iso_date(text)) << text;
  }
  for (auto* bad : {"",
                    "1970",
                    "1970-01",
                    "1970-1-1",
                    "1970-13-01",
                    "1970-00-01",
                    "1970-01-32",
                    "1970-01-00",
                    "2001-02-29",
                    "1900-02-29",
                    "2024-04-31",
                    "1970-01-01T",
                    "1970-01-01T00:00",
                    "1970-01-01T24:00:00",
                    "1970-01-01T00:60:00",
                    "1970-01-01T00:00:60",
                    "1970-01-01T00:00:00.",
                    "1970-01-01T00:00:00.Z",
                    "1970-01-01T00:00:00+1",
                    "1970-01-01T00:00:00+24:00",
                    "1970-01-01T00:00:00Zx",
                    "1970-01-01x",
                    " 1970-01-01",
                    "19700101",
                    "1970/01/01",
                    "1970-01-01T000000",
                    "+1970-01-01",
                    "yesterday"})
    EXPECT_EQ(parse_iso_date(bad), std::nullopt) << bad;
}

TEST(iso_date_format, is_printed_as_it_is_read) {
  EXPECT_EQ(to_iso_date(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_iso_date(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_iso_date(951782400000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(to_iso_date(max_date_ms), "+275760-09-13T00:00:00.000Z");
  for (std::int64_t ms : {std::int64_t{1}, std::int64_t{1700000000123}, std::int64_t{-5000}})
    EXPECT_EQ(parse_iso_date(to_iso_date(ms)), ms);
}

} // namespace
} // namespace holdfast::detail
