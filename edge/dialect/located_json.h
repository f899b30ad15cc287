// located_json.h: a JSON text as a tree whose every value knows its line: what a dialect file is
// read from, so that whatever is wrong can be pointed at.
// Owns: its members.   Used by: dialect_loader, json_template, inbound_event.
// Threads: caller serialises.
// Fails: a fault for what is no JSON, names a member twice or nests too deep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/status/status.h>

namespace confab::edge {

// Deeper than any template (kTemplateDepthLimit) stands in its file, and a small stack holds it.
inline constexpr size_t kDialectFileDepthLimit = 16;

class FileFaults;

class LocatedJson {
 public:
  enum class Kind { kNull, kBool, kInteger, kDouble, kString, kArray, kObject };
  using Member = std::pair<std::string, LocatedJson>;

  // Not in the class: Clang 14 would ask whether a pair of this can be destroyed before this is whole.
  LocatedJson();
  LocatedJson(const LocatedJson&);
  LocatedJson(LocatedJson&&) noexcept;
  LocatedJson& operator=(const LocatedJson&);
  LocatedJson& operator=(LocatedJson&&) noexcept;
  ~LocatedJson();

  // nullopt: `faults` has got why.
  static std::optional<LocatedJson> Parse(std::string_view text, FileFaults& faults);

  Kind kind = Kind::kNull;
  size_t line = 1;  // A member's is the line of its name.
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;  // kDouble, and integers beyond 63 bits.
  std::string text;   // kString.
  std::vector<LocatedJson> items;
  std::vector<Member> members;  // In the file's order.

  bool is_string() const { return kind == Kind::kString; }
  bool is_object() const { return kind == Kind::kObject; }
  // nullptr if there is none.
  const LocatedJson* Find(std::string_view name) const;
};

// What is wrong with a file: "FILE:LINE: reason", one a line, in the order found.
class FileFaults {
 public:
  explicit FileFaults(std::string file) : file_(std::move(file)) {}

  void Add(size_t line, std::string_view reason);

  bool empty() const { return count_ == 0; }
  absl::Status ToStatus() const;  // INVALID_ARGUMENT unless empty.

 private:
  // What somebody mends in one go; the rest is counted.
  static constexpr size_t kShownLimit = 20;

  const std::string file_;
  std::string text_;
  size_t count_ = 0;
};

}  // namespace confab::edge
