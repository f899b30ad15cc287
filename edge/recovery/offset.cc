#include "edge/recovery/offset.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

namespace confab::edge {

namespace {

// Takes ".digits" off the end.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(dot + 1);
  std::uint64_t number = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos ||
      !absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &number)) {
    return std::nullopt;
  }
  text.remove_suffix(digits.size() + 1);
  return number;
}

}  // namespace

// From the right: the name of an edge may hold dots ("edge-1.example.com:8080").
std::optional<Offset> ParseOffset(std::string_view text) {
  if (text.size() > kOffsetBytesLimit) return std::nullopt;
  const std::optional<std::uint64_t> number = TakeNumber(text);
  if (!number) return std::nullopt;
  const std::optional<std::uint64_t> epoch = TakeNumber(text);
  if (!epoch || text.empty()) return std::nullopt;
  return Offset{.edge_id = text, .epoch = *epoch, .number = *number};
}

std::string OffsetBeginning(std::string_view edge_id, std::uint64_t epoch) {
  return absl::StrCat(absl::string_view(edge_id.data(), edge_id.size()), ".", epoch, ".");
}

void OffsetStamp::Append(std::string& out) const {
  out.pop_back();
  absl::StrAppend(&out, ",\"", beginning_, number_, "\"]");
}

}  // namespace confab::edge
