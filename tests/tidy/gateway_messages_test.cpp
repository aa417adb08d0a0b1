// What handles can do, actors can ask for: the public operations in the headers of handles against
// the messages in those of the gateway.
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string text_of(const std::string& header) {
  std::ifstream in{std::filesystem::path{HOLDFAST_SOURCE_DIR} / "store" / header, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string without_comments(const std::string& text) {
  return std::regex_replace(text, std::regex{"//[^\n]*"}, "");
}

/// What stands from the end of `first` to `last`; empty if either is missing.
std::string between(const std::string& text, std::string_view first, std::string_view last) {
  auto from = text.find(first);
  if (from == std::string::npos)
    return {};
  from += first.size();
  auto to = text.find(last, from);
  return to == std::string::npos ? std::string{} : text.substr(from, to - from);
}

/// The name that a declaration gives to a function; empty if it declares none, or an operator.
std::string function_in(std::string_view declaration) {
  std::size_t angles = 0;
  for (std::size_t i = 0; i < declaration.size(); ++i) {
    angles += declaration[i] == '<';
    angles -= declaration[i] == '>';
    if (declaration[i] != '(' || angles > 0)
      continue;
    auto end = i, begin = i;
    auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    while (begin > 0 && is_part(declaration[begin - 1]))
      --begin;
    if (begin > 0 && declaration[begin - 1] == '~')
      return {};
    return std::string{declaration.substr(begin, end - begin)};
  }
  return {};
}

/// The public functions that a class declares, as often as it declares each; without those that
/// make, copy and end it. `body` is what stands behind its opening brace.
std::multiset<std::string> public_functions(const std::string& body, std::string_view class_name) {
  std::multiset<std::string> out;
  std::string declaration;
  bool is_public = false;
  int braces = 1, parentheses = 0; // braces in parentheses are default arguments
  auto declared = [&] {
    auto name = function_in(declaration);
    if (is_public && !name.empty() && name != class_name)
      out.insert(name);
    declaration.clear();
  };
  for (char c : without_comments(body)) {
    parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (parentheses == 0 && (c == '{' || c == '}')) {
      braces += c == '{' ? 1 : -1;
      if (braces == 0)
        break;
      if (braces == 1)
        declared();
    } else if (braces == 1 && parentheses == 0 && c == ';') {
      declared();
    } else if (braces == 1) {
      declaration += c;
    }
    for (std::string_view label : {"public:", "private:"})
      if (braces == 1 && declaration.ends_with(label)) {
        is_public = label == "public:";
        declaration.clear();
      }
  }
  return out;
}

/// `<name>::<function>` for each of the three handles, as comments spell them.
std::multiset<std::string> operations() {
  const struct {
    const char *header, *begins, *name, *spelled;
  } handles[] = {{"store.hpp", "\nclass store {", "store", "store"},
                 {"bucket.hpp", "\nclass bucket<record> {", "bucket", "bucket<>"},
                 {"selection.hpp", "\nclass selection {", "selection", "selection"}};
  std::multiset<std::string> out;
  for (auto& each : handles)
    for (auto& function :
         public_functions(between(text_of(each.header), each.begins, "\n};") + "\n}", each.name))
      out.insert(std::string{each.spelled} + "::" + function);
  return out;
}

constexpr auto in_quotes = R"(`((?:store|bucket<>|selection)::\w+)`)";

std::set<std::string> quoted_in(const std::string& text) {
  std::set<std::string> out;
  const std::regex one{in_quotes};
  for (std::sregex_iterator at{text.begin(), text.end(), one}, end; at != end; ++at)
    out.insert((*at)[1]);
  return out;
}

/// By operation, the messages whose comment begins with "As" it.
std::map<std::string, std::multiset<std::string>> messages(const std::string& header) {
  const std::regex comment_and_struct{R"(((?:///[^\n]*\n)+)struct (\w+) \{)"};
  const std::regex as{"^As ((?:" + std::string{in_quotes} + "(?:, | and )?)+)"};
  std::map<std::string, std::multiset<std::string>> out;
  for (std::sregex_iterator at{header.begin(), header.end(), comment_and_struct}, end; at != end;
       ++at) {
    auto comment = std::regex_replace(at->str(1), std::regex{R"(\s*///\s*)"}, " ").substr(1);
    std::smatch found;
    if (std::regex_search(comment, found, as))
      for (auto& operation : quoted_in(found.str(1)))
        out[operation].insert(at->str(2));
  }
  return out;
}

struct gateway_messages : ::testing::Test {
  const std::string signature = text_of("gateway.hpp");
  const std::multiset<std::string> operations = testing::operations();
  const std::set<std::string> not_as_message = quoted_in(between(
      signature, "There is a message for every operation", "All messages stay within the process"));
  const std::map<std::string, std::multiset<std::string>> by_operation =
      messages(text_of("gateway_messages.hpp") + text_of("gateway_administration.hpp") +
               text_of("gateway_subscriptions.hpp"));
};

TEST_F(gateway_messages, are_there_for_every_operation_or_the_gateway_says_what_to_use_instead) {
  for (auto& operation : std::set<std::string>{operations.begin(), operations.end()}) {
    const auto has_message = by_operation.contains(operation);
    if (!has_message) {
      EXPECT_THAT(not_as_message, Contains(operation))
          << "neither a message's comment says \"As `" << operation
          << "`\", nor is it among what store/gateway.hpp says to have no message";
    } else {
      EXPECT_THAT(not_as_message, Not(Contains(operation)))
          << "it has a message: " << *by_operation.at(operation).begin();
    }
  }
}

TEST_F(gateway_messages, speak_of_operations_that_there_are) {
  for (auto& operation : not_as_message)
    EXPECT_THAT(operations, Contains(operation));
  for (auto& [operation, of] : by_operation)
    EXPECT_THAT(operations, Contains(operation)) << "named by " << *of.begin();
}

TEST_F(gateway_messages, are_all_answered_by_the_gateway) {
  for (auto& [operation, of] : by_operation)
    for (auto& message : of)
      EXPECT_TRUE(signature.find("caf::replies_to<" + message + ">") != std::string::npos)
          << message;
}

TEST_F(gateway_messages, define_queries_in_each_way_in_which_a_store_does) {
  EXPECT_EQ(by_operation.at("store::define_query").size(), operations.count("store::define_query"));
}

TEST_F(gateway_messages, are_compared_with_what_the_headers_declare) {
  EXPECT_EQ(operations.count("bucket<>::insert"), 3u);
  for (auto* one : {"store::transact", "store::define_query", "store::start", "bucket<>::modify",
                    "bucket<>::visit", "selection::order_by", "selection::group_by"})
    EXPECT_THAT(operations, Contains(one));
  for (auto* one : {"store::store", "store::add_query", "bucket<>::modify_by", "bucket<>::write",
                    "selection::visit_blocks", "selection::selection"})
    EXPECT_THAT(operations, Not(Contains(one)));
}

TEST(public_functions_of_a_class, are_found_whatever_stands_around_them) {
  const std::string body = R"(
public:
  it(const it&);
  it& operator=(const it&);
  ~it();
  /// Not (this).
  static result<it> start(options how = {}, call<void(int)> f = {});
  template <class F, class = decltype(f<int>())>
  requires fits<F>
  auto run(F&& f) -> result<F> {
    if (true) { hidden(f); }
    return other(f);
  }
  std::function<void()> of() const { return {}; }
  struct { int unnamed = 0; } part;
private:
  void secret();
public:
  int seen_again() const noexcept;
}
void outside();
)";
  EXPECT_THAT(public_functions(body, "it"), ElementsAre("of", "run", "seen_again", "start"));
}

TEST(comments_of_messages, name_one_operation_or_more) {
  const auto found = messages("/// As `bucket<>::get`; not `store::on`.\nstruct one {\n};\n"
                              "/// As `selection::sum` and\n/// `selection::avg`.\nstruct two {};\n"
                              "/// Ends `store::on`.\nstruct three {};\n");
  EXPECT_THAT(found, UnorderedElementsAre(::testing::Pair("bucket<>::get", ElementsAre("one")),
                                          ::testing::Pair("selection::avg", ElementsAre("two")),
                                          ::testing::Pair("selection::sum", ElementsAre("two"))));
}

} // namespace
} // namespace holdfast::testing
