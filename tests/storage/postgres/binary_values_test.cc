#include "storage/postgres/binary_values.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace confab::storage {
namespace {

// Readable: numbers of four bytes in hexadecimal, text as it is.
std::string Four(uint32_t number) {
  std::string bytes(4, '\0');
  for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(number >> (24 - 8 * i) & 0xFF);
  return bytes;
}
std::string Header(uint32_t type, uint32_t elements) {
  return Four(1) + Four(0) + Four(type) + Four(elements) + Four(1);
}

TEST(BinaryArray, HoldsTextsAsTheyAre) {
  BinaryArray array(kTextType, 1000);
  array.Add(std::string_view("a\"\\{}"));
  array.Add(std::string_view());
  array.Add('c', "key");

  EXPECT_EQ(array.Finish().bytes, Header(25, 3) + Four(5) + "a\"\\{}" + Four(0) + Four(4) + "ckey");
}

TEST(BinaryArray, HoldsNumbersInTheNetworksOrder) {
  BinaryArray array(kInt8Type);
  array.Add(int64_t{0x0102030405060708});
  array.Add(int64_t{-2});
  array.Add(std::numeric_limits<int64_t>::min());

  EXPECT_EQ(array.Finish().bytes, Header(20, 3) + Four(8) + "\x01\x02\x03\x04\x05\x06\x07\x08" +
                                      Four(8) + Four(0xFFFFFFFF) + Four(0xFFFFFFFE) + Four(8) +
                                      Four(0x80000000) + Four(0));
}

TEST(BinaryArray, HasNoDimensionWithoutElements) {
  BinaryArray array(kTextType, 100);

  EXPECT_EQ(array.Finish().bytes, Four(0) + Four(0) + Four(25));
}

TEST(BinaryRows, HoldsRowsWithTheTypeAndSizeOfEachColumn) {
  BinaryRows rows(70'000, 4, 0);
  rows.BeginRow();
  rows.Text("one");
  rows.Int8(-1);
  rows.Int2(258);
  rows.Text('c', "key");
  rows.BeginRow();
  rows.Text("");
  rows.Int8(2);
  rows.Int2(-1);
  rows.Text('e', "");

  const std::string first = Four(4) + Four(25) + Four(3) + "one" + Four(20) + Four(8) +
                            Four(0xFFFFFFFF) + Four(0xFFFFFFFF) + Four(21) + Four(2) + "\x01\x02" +
                            Four(25) + Four(4) + "ckey";
  const std::string second = Four(4) + Four(25) + Four(0) + Four(20) + Four(8) + Four(0) + Four(2) +
                             Four(21) + Four(2) + "\xFF\xFF" + Four(25) + Four(1) + "e";
  EXPECT_EQ(rows.Finish().bytes, Header(70'000, 2) + Four(static_cast<uint32_t>(first.size())) +
                                     first + Four(static_cast<uint32_t>(second.size())) + second);
}

TEST(BinaryRows, HasNoDimensionWithoutRows) {
  EXPECT_EQ(BinaryRows(70'000, 3, 10).Finish().bytes.size(), 12u);
}

}  // namespace
}  // namespace confab::storage
