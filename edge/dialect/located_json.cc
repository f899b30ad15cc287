#include "edge/dialect/located_json.h"

#include <algorithm>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace confab::edge {
namespace {

namespace json = boost::json;

// Builds the tree while the parser goes through the text, which it is given line by line.
struct TreeBuilder {
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names.
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)

  using Kind = LocatedJson::Kind;
  using Text = json::string_view;
  using Code = json::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return Open(Kind::kObject); }
  bool on_object_end(size_t, Code&) { return Shut(); }
  bool on_array_begin(Code&) { return Open(Kind::kArray); }
  bool on_array_end(size_t, Code&) { return Shut(); }
  bool on_key_part(Text part, size_t, Code&) { return Gather(part); }
  bool on_key(Text rest, size_t, Code& error) {
    Gather(rest);
    LocatedJson& object = *open.back();
    if (object.Find(gathered) != nullptr) {
      fault = fmt::format("\"{}\" stands twice in the same object", gathered);
      error = json::error::syntax;
      return false;
    }
    object.members.emplace_back(std::exchange(gathered, {}), LocatedJson());
    object.members.back().second.line = line;
    return true;
  }
  bool on_string_part(Text part, size_t, Code&) { return Gather(part); }
  bool on_string(Text rest, size_t, Code&) {
    Gather(rest);
    Place(Kind::kString).text = std::exchange(gathered, {});
    return true;
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t number, Text, Code&) {
    Place(Kind::kInteger).integer = number;
    return true;
  }
  bool on_uint64(uint64_t number, Text, Code&) {
    Place(Kind::kDouble).number = static_cast<double>(number);
    return true;
  }
  bool on_double(double number, Text, Code&) {
    Place(Kind::kDouble).number = number;
    return true;
  }
  bool on_bool(bool value, Code&) {
    Place(Kind::kBool).boolean = value;
    return true;
  }
  bool on_null(Code&) {
    Place(Kind::kNull);
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  bool Gather(Text part) {
    gathered.append(part.data(), part.size());
    return true;
  }

  // The place of the value that comes now. Pointers to open values stay good: nothing is added to
  // an array or object while something inside it is open.
  LocatedJson& Place(Kind kind) {
    LocatedJson* value = &root;
    if (!open.empty() && open.back()->kind == Kind::kArray) {
      value = &open.back()->items.emplace_back();
      value->line = line;
    } else if (!open.empty()) {
      value = &open.back()->members.back().second;
    } else {
      value->line = line;
    }
    value->kind = kind;
    return *value;
  }
  bool Open(Kind kind) {
    open.push_back(&Place(kind));
    return true;
  }
  bool Shut() {
    open.pop_back();
    return true;
  }

  LocatedJson root;
  std::vector<LocatedJson*> open;
  std::string gathered;
  size_t line = 1;
  std::string fault;
};

std::string Explain(const json::error_code& error, const TreeBuilder& tree) {
  if (!tree.fault.empty()) return tree.fault;
  if (error == json::error::too_deep) {
    return fmt::format("nested deeper than {}", kDialectFileDepthLimit);
  }
  return "not JSON: " + error.message();
}

}  // namespace

LocatedJson::LocatedJson() = default;
LocatedJson::LocatedJson(const LocatedJson&) = default;
LocatedJson::LocatedJson(LocatedJson&&) noexcept = default;
LocatedJson& LocatedJson::operator=(const LocatedJson&) = default;
LocatedJson& LocatedJson::operator=(LocatedJson&&) noexcept = default;
LocatedJson::~LocatedJson() = default;

std::optional<LocatedJson> LocatedJson::Parse(std::string_view text, FileFaults& faults) {
  json::parse_options options;
  options.max_depth = kDialectFileDepthLimit;
  json::basic_parser<TreeBuilder> parser(options);
  TreeBuilder& tree = parser.handler();
  json::error_code error;
  for (size_t from = 0; from < text.size() && !error; ++tree.line) {
    const size_t end = std::min(text.find('\n', from), text.size() - 1) + 1;
    const size_t read = parser.write_some(true, text.data() + from, end - from, error);
    if (!error && read < end - from) error = json::error::extra_data;
    if (error) break;
    from = end;
  }
  if (!error) parser.write_some(false, text.data(), 0, error);
  if (error) {
    faults.Add(tree.line, Explain(error, tree));
    return std::nullopt;
  }
  return std::move(tree.root);
}

const LocatedJson* LocatedJson::Find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

void FileFaults::Add(size_t line, std::string_view reason) {
  if (++count_ > kShownLimit) return;
  if (!text_.empty()) text_.push_back('\n');
  text_ += fmt::format("{}:{}: {}", file_, line, reason);
}

absl::Status FileFaults::ToStatus() const {
  if (count_ == 0) return absl::OkStatus();
  if (count_ <= kShownLimit) return absl::InvalidArgumentError(text_);
  return absl::InvalidArgumentError(
      fmt::format("{}\n{}: and {} more", text_, file_, count_ - kShownLimit));
}

}  // namespace confab::edge
