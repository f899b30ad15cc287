// binary_values.h: builds arrays in PostgreSQL's binary form: what its functions array_recv and
// record_recv read. Nothing is escaped, nothing is parsed.
// Measured by batch/array/binary and batch/rows/binary.
// Threads: caller serialises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace confab::storage {

// A type's number at the server; those of built-in types are the same everywhere (pg_type.dat).
using PostgresType = uint32_t;
inline constexpr PostgresType kInt8Type = 20;
inline constexpr PostgresType kInt2Type = 21;
inline constexpr PostgresType kTextType = 25;

// Finished bytes of a one-dimensional array.
struct BinaryValue {
  std::string_view bytes;
};

// An array of one built-in type.
class BinaryArray {
 public:
  // What an element of that type takes.
  static constexpr size_t kInt8Bytes = 4 + 8;
  static constexpr size_t kIdBytes = 4 + 36;  // A UUID.

  explicit BinaryArray(PostgresType type, size_t bytes_expected = 0);
  void Add(std::string_view text);
  // The key space's letter, then the key, as one element.
  void Add(char letter, std::string_view text);
  void Add(int64_t number);
  // Nothing may be added afterwards. Shows into the array.
  BinaryValue Finish();

 private:
  std::string bytes_;
  uint32_t elements_ = 0;
};

// An array of rows of one table: each has all of its columns, in their order.
class BinaryRows {
 public:
  BinaryRows(PostgresType row_type, uint32_t columns, size_t bytes_expected);
  // Begins the next row; `columns` values follow.
  void BeginRow();
  void Text(std::string_view text);
  void Text(char letter, std::string_view text);
  void Int8(int64_t number);
  void Int2(int16_t number);
  BinaryValue Finish();

 private:
  void EndRow();

  std::string bytes_;
  const uint32_t columns_;
  uint32_t rows_ = 0;
  size_t row_at_ = 0;  // Where the size of the row under way stands; 0: none is.
};

}  // namespace confab::storage
