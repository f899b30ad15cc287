#include "storage/postgres/binary_values.h"

namespace confab::storage {
namespace {

// Dimensions, whether there are NULLs, the elements' type; then of the one dimension its size and
// where it begins.
constexpr size_t kElementsAt = 12;
constexpr size_t kHeaderBytes = 20;

// The network's order of bytes.
template <typename Number>
void Put(Number number, std::string& out) {
  char bytes[sizeof(number)];
  for (size_t i = 0; i < sizeof(number); ++i) {
    bytes[i] = static_cast<char>((number >> (8 * (sizeof(number) - 1 - i))) & 0xFF);
  }
  out.append(bytes, sizeof(bytes));
}

void PutAt(size_t place, uint32_t number, std::string& out) {
  for (size_t i = 0; i < sizeof(number); ++i) {
    out[place + i] = static_cast<char>((number >> (24 - 8 * i)) & 0xFF);
  }
}

void PutSized(std::string_view text, std::string& out) {
  Put(static_cast<uint32_t>(text.size()), out);
  out += text;
}

void PutSized(char letter, std::string_view text, std::string& out) {
  Put(static_cast<uint32_t>(text.size() + 1), out);
  out += letter;
  out += text;
}

void PutHeader(PostgresType type, std::string& out) {
  for (const uint32_t number : {1u, 0u, type, 0u, 1u}) Put(number, out);
}

BinaryValue Finished(uint32_t elements, std::string& bytes) {
  if (elements == 0) {
    PutAt(0, 0, bytes);  // It has no dimension then.
    return {std::string_view(bytes).substr(0, kElementsAt)};
  }
  PutAt(kElementsAt, elements, bytes);
  return {bytes};
}

}  // namespace

BinaryArray::BinaryArray(PostgresType type, size_t bytes_expected) {
  bytes_.reserve(kHeaderBytes + bytes_expected);
  PutHeader(type, bytes_);
}

void BinaryArray::Add(std::string_view text) {
  ++elements_;
  PutSized(text, bytes_);
}

void BinaryArray::Add(char letter, std::string_view text) {
  ++elements_;
  PutSized(letter, text, bytes_);
}

void BinaryArray::Add(int64_t number) {
  ++elements_;
  Put(uint32_t{sizeof(number)}, bytes_);
  Put(static_cast<uint64_t>(number), bytes_);
}

BinaryValue BinaryArray::Finish() { return Finished(elements_, bytes_); }

BinaryRows::BinaryRows(PostgresType row_type, uint32_t columns, size_t bytes_expected)
    : columns_(columns) {
  bytes_.reserve(kHeaderBytes + bytes_expected);
  PutHeader(row_type, bytes_);
}

void BinaryRows::BeginRow() {
  EndRow();
  ++rows_;
  row_at_ = bytes_.size();
  Put(uint32_t{0}, bytes_);  // EndRow knows the size.
  Put(columns_, bytes_);
}

void BinaryRows::EndRow() {
  if (row_at_ == 0) return;
  PutAt(row_at_, static_cast<uint32_t>(bytes_.size() - row_at_ - sizeof(uint32_t)), bytes_);
  row_at_ = 0;
}

void BinaryRows::Text(std::string_view text) {
  Put(kTextType, bytes_);
  PutSized(text, bytes_);
}

void BinaryRows::Text(char letter, std::string_view text) {
  Put(kTextType, bytes_);
  PutSized(letter, text, bytes_);
}

void BinaryRows::Int8(int64_t number) {
  Put(kInt8Type, bytes_);
  Put(uint32_t{sizeof(number)}, bytes_);
  Put(static_cast<uint64_t>(number), bytes_);
}

void BinaryRows::Int2(int16_t number) {
  Put(kInt2Type, bytes_);
  Put(uint32_t{sizeof(number)}, bytes_);
  Put(static_cast<uint16_t>(number), bytes_);
}

BinaryValue BinaryRows::Finish() {
  EndRow();
  return Finished(rows_, bytes_);
}

}  // namespace confab::storage
