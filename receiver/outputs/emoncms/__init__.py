"""EmonCMS, as the scripts of the OpenEnergyMonitor forum fed it: phases in slots of 10 s, and reports of panels."""
