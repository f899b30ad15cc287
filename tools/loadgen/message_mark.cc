#include "tools/loadgen/message_mark.h"

#include <charconv>

#include <fmt/format.h>

namespace confab::loadgen {
namespace {

constexpr std::string_view kBegin = "load ";

template <typename Number>
bool TakeNumber(std::string_view& text, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<size_t>(result.ptr - text.data());
  if (result.ec != std::errc() || digits == text.size() || text[digits] != ' ') return false;
  text.remove_prefix(digits + 1);
  return true;
}

}  // namespace

MarkedContent::MarkedContent(size_t bytes) {
  filler_.reserve(bytes);
  for (size_t i = 0; i < bytes; ++i) filler_ += static_cast<char>('a' + i % 26);
}

void MarkedContent::Append(const MessageMark& mark, std::string& out) const {
  const size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}{} {} ", kBegin, mark.sender, mark.number);
  out.append(filler_, out.size() - begin);
}

std::optional<MessageMark> MarkedContent::Read(std::string_view content) const {
  if (content.size() != filler_.size() || !content.starts_with(kBegin)) return std::nullopt;
  MessageMark mark;
  std::string_view rest = content.substr(kBegin.size());
  if (!TakeNumber(rest, mark.sender) || !TakeNumber(rest, mark.number)) return std::nullopt;
  if (rest != std::string_view(filler_).substr(content.size() - rest.size())) return std::nullopt;
  return mark;
}

}  // namespace confab::loadgen
