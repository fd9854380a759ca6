"""The studio's pages of imports, under /studio/imports: runs, remembered sources, conflicts, and programs that may be one."""
