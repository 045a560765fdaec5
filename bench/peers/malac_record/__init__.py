"""The record for MaLaC-HD, which maps between classes: it is told of them by this name."""

from malac_record import plan

list_i_o_modules = {"https://careplan-adapter.org/bench": plan}
