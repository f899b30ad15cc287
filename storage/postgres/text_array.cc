#include "storage/postgres/text_array.h"

#include <charconv>

namespace confab::storage {

// Always quoted: unquoted, the words NULL and null and an empty text would mean something else.
void TextArray::Add(std::string_view element) {
  Separate();
  text_ += '"';
  Escape(element);
  text_ += '"';
}

void TextArray::Add(char letter, std::string_view element) {
  Separate();
  text_ += '"';
  text_ += letter;
  Escape(element);
  text_ += '"';
}

void TextArray::Add(int64_t element) {
  Separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), element);
  text_.append(digits, end.ptr);
}

const std::string& TextArray::Finish() {
  text_ += text_.empty() ? "{}" : "}";
  return text_;
}

void TextArray::Escape(std::string_view element) {
  while (!element.empty()) {
    const size_t plain = element.find_first_of("\"\\");
    text_.append(element.substr(0, plain));
    if (plain == std::string_view::npos) return;
    text_ += '\\';
    text_ += element[plain];
    element.remove_prefix(plain + 1);
  }
}

}  // namespace confab::storage
