// text_array.h: builds the text form of a one-dimensional PostgreSQL array.
// Threads: caller serialises.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace confab::storage {

class TextArray {
 public:
  // What an element takes, about, for who knows how many there will be.
  static constexpr size_t kIdBytes = 40;      // A UUID, its quotes and the comma.
  static constexpr size_t kNumberBytes = 20;  // A time.
  static constexpr size_t kWordBytes = 8;     // A kind, a type; quotes and comma.

  explicit TextArray(size_t bytes_expected = 0) { text_.reserve(bytes_expected + 2); }

  void Add(std::string_view element);
  // The key space's letter, then the key, as one element.
  void Add(char letter, std::string_view element);
  void Add(int64_t element);
  // "{…}"; nothing may be added afterwards.
  const std::string& Finish();

 private:
  void Separate() { text_ += text_.empty() ? '{' : ','; }
  void Escape(std::string_view element);
  std::string text_;
};

}  // namespace confab::storage
