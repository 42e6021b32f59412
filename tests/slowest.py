"""Prints the ten slowest tests of a report that nextest wrote: slowest.py JUNIT.XML"""

import sys
from xml.etree import ElementTree

cases = ElementTree.parse(sys.argv[1]).iter("testcase")
times = sorted(((float(case.get("time")), case) for case in cases), key=lambda pair: -pair[0])
print("The ten slowest tests, in seconds:")
for seconds, case in times[:10]:
    print(f"{seconds:8.1f}  {case.get('classname')} {case.get('name')}")
